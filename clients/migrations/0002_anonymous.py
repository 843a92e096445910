"""The app of requests without a credential: what an installation does today goes on."""

from typing import Any

from django.db import migrations


def make_anonymous(apps: Any, schema_editor: Any) -> None:
    apps.get_model("clients", "App").objects.get_or_create(pk=1, defaults={"name": "anonymous"})


class Migration(migrations.Migration):
    dependencies = [("clients", "0001_apps_and_keys")]

    operations = [migrations.RunPython(make_anonymous, migrations.RunPython.noop)]
