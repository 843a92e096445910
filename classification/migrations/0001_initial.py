"""The two tables that are older than this project, as they stood then.

What this project adds to them is in the next migration, so that an older installation's
tables can be taken over with their rows.
"""

import django.utils.timezone
from django.db import migrations, models

import classification.models
from classification.legacy.migration import CreateOrTakeOver


class Migration(migrations.Migration):
    initial = True
    operations = [
        CreateOrTakeOver(
            name="CacheEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("image_hash", models.CharField(max_length=64, unique=True)),
                ("category", models.CharField(max_length=50)),
                ("confidence", models.DecimalField(decimal_places=4, max_digits=5)),
                ("description", models.TextField(blank=True, null=True)),
                ("model_used", models.CharField(max_length=50)),
                ("model_response", models.JSONField(blank=True, null=True)),
                ("hit_count", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_hit_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"db_table": "image_classification_cache"},
        ),
        CreateOrTakeOver(
            name="RequestLog",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("request_id", models.CharField(max_length=64)),
                ("user_id", models.CharField(blank=True, max_length=64, null=True)),
                ("ip_address", models.CharField(blank=True, max_length=45, null=True)),
                ("image_hash", models.CharField(blank=True, max_length=64)),
                ("image_size", models.PositiveIntegerField(blank=True, null=True)),
                ("category", models.CharField(blank=True, max_length=50)),
                (
                    "confidence",
                    models.DecimalField(decimal_places=4, default=0, max_digits=5),
                ),
                ("from_cache", models.BooleanField(default=False)),
                ("processing_time_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "created_date",
                    models.GeneratedField(
                        db_persist=True,
                        expression=classification.models.LocalDate("created_at"),
                        output_field=models.DateField(),
                    ),
                ),
            ],
            options={"db_table": "request_log"},
        ),
    ]
