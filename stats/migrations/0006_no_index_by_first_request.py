from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stats", "0005_top_users_in_order"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="dayaddress",
            name="stats_day_address_first",
        ),
        migrations.RemoveIndex(
            model_name="dayuser",
            name="stats_day_user_first",
        ),
        migrations.AlterField(
            model_name="dayaddress",
            name="first_request",
            field=models.DateTimeField(null=True),
        ),
    ]
