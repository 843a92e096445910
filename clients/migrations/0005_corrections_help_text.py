import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0004_forgotten_user"),
    ]

    operations = [
        migrations.AlterField(
            model_name="app",
            name="corrections_by_users",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="When one category has so many more votes than all others together, counting only users with tokens, the answer is corrected for everybody, unless staff have decided about it. Empty: votes correct nothing.",
                null=True,
                validators=[django.core.validators.MinValueValidator(2)],
                verbose_name="users who correct an answer",
            ),
        ),
    ]
