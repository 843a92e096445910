from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stats", "0002_exact_users"),
    ]

    operations = [
        migrations.AlterField(
            model_name="day",
            name="cost",
            field=models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=16),
        ),
        migrations.AlterField(
            model_name="day",
            name="failures",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="day",
            name="hits",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="day",
            name="requests",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="day",
            name="saved",
            field=models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=16),
        ),
        migrations.AlterField(
            model_name="day",
            name="timed_requests",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="day",
            name="total_time_ms",
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
    ]
