from django.db import migrations, models

import core.fields


class Migration(migrations.Migration):
    dependencies = [
        ("stats", "0001_roll_ups"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="rollup",
            name="ceiling_at",
        ),
        migrations.AddField(
            model_name="rollup",
            name="ceiling_time",
            field=models.FloatField(default=0),
        ),
        migrations.AlterField(
            model_name="dayuser",
            name="user_id",
            field=core.fields.ExactCharField(max_length=64),
        ),
        migrations.AlterField(
            model_name="user",
            name="user_id",
            field=core.fields.ExactCharField(max_length=64, primary_key=True, serialize=False),
        ),
    ]
