"""Names only: the columns stay as the release before this one knows them."""

from django.db import migrations, models

NAMES = {"condition": "rule", "receiver": "channel", "told_at": "notified_at"}
FIELDS: dict[str, models.Field] = {  # type: ignore[type-arg]
    "rule": models.CharField(max_length=40, db_column="condition"),
    "channel": models.CharField(max_length=40, db_column="receiver"),
    "notified_at": models.DateTimeField(null=True, db_column="told_at"),
}
UNIQUE = "alert_state_unique"


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_alerts")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("AlertState", UNIQUE),
                *(migrations.RenameField("AlertState", old, new) for old, new in NAMES.items()),
                *(migrations.AlterField("AlertState", name, f) for name, f in FIELDS.items()),
                migrations.AddConstraint(
                    "AlertState",
                    models.UniqueConstraint(fields=["rule", "channel"], name=UNIQUE),
                ),
            ]
        )
    ]
