"""Operators may find, export and forget a person."""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations


def permit(apps: Any, schema_editor: Any) -> None:
    config = apps.get_app_config("privacy")
    config.models_module = True  # that of a migration has none, and would be passed over
    create_permissions(config, apps=apps, verbosity=0)
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="privacy", codename__in=("find_person", "forget_person")
    )
    for role in apps.get_model("auth", "Group").objects.filter(name="operator"):
        role.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [("privacy", "0001_erasures"), ("operations", "0003_roles")]

    operations = [migrations.RunPython(permit, migrations.RunPython.noop)]
