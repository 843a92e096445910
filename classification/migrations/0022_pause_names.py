"""Renames the fields that say why model calls are paused. The columns keep their names, which the
previous release reads and writes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("classification", "0021_spending_reservation_counter"),
    ]

    operations = [
        migrations.AlterField(
            model_name="serverprocess",
            name="rest_code",
            field=models.CharField(db_column="rest_code", max_length=40),
        ),
        migrations.RenameField("serverprocess", "rest_code", "pause_code"),
        migrations.AlterField(
            model_name="serverprocess",
            name="rest_cause",
            field=models.CharField(db_column="rest_cause", max_length=20),
        ),
        migrations.RenameField("serverprocess", "rest_cause", "pause_cause"),
        migrations.AlterField(
            model_name="serverprocess",
            name="rest_since",
            field=models.DateTimeField(db_column="rest_since", null=True),
        ),
        migrations.RenameField("serverprocess", "rest_since", "paused_since"),
        migrations.AlterField(
            model_name="serverprocess",
            name="rest_until",
            field=models.DateTimeField(db_column="rest_until", null=True),
        ),
        migrations.RenameField("serverprocess", "rest_until", "paused_until"),
    ]
