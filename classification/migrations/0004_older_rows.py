"""What the rows of an older installation mean here; a new installation has none."""

from typing import Any

from django.db import migrations

from classification.legacy import rows


def take_over(apps: Any, schema_editor: Any) -> None:
    rows.take_over(
        apps.get_model("classification", "CacheEntry"),
        apps.get_model("classification", "RequestLog"),
    )


class Migration(migrations.Migration):
    dependencies = [("classification", "0003_ask_again")]

    operations = [migrations.RunPython(take_over, migrations.RunPython.noop, atomic=False)]
