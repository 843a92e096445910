from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stats", "0003_spending_by_day"),
    ]

    operations = [
        migrations.AlterField(
            model_name="minute",
            name="cost",
            field=models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=16),
        ),
        migrations.AlterField(
            model_name="minute",
            name="failures",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="minute",
            name="hits",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="minute",
            name="requests",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="minute",
            name="saved",
            field=models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=16),
        ),
        migrations.AlterField(
            model_name="minute",
            name="timed_requests",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="minute",
            name="total_time_ms",
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
    ]
