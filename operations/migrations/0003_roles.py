"""Roles for staff, as groups. Staff who are there already keep what they can do."""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models import Q

SEES = (
    "classification.view_cacheentry",
    "classification.view_requestlog",
    "classification.view_modelcall",
    "classification.view_promptversion",
    "clients.view_app",
    "clients.view_appkey",
)
EDITS = (
    "classification.try_model",
    "classification.keep_answer",
    "classification.publish_promptversion",
)
ROLES = {
    "viewer": SEES,
    "editor": (*SEES, *EDITS, "classification.change_cacheentry"),
    "operator": (
        *SEES,
        "classification.try_model",
        "classification.purge_cacheentry",
        "clients.add_app",
        "clients.change_app",
        "clients.add_appkey",
        "clients.change_appkey",
        "admin.view_logentry",
    ),
}


def make_roles(apps: Any, schema_editor: Any) -> None:
    # Permissions are otherwise made after all migrations.
    for label in ("classification", "clients", "admin"):
        config = apps.get_app_config(label)
        config.models_module = True  # that of a migration has none, and would be passed over
        create_permissions(config, apps=apps, verbosity=0)
    permissions = _permissions(apps)
    group = apps.get_model("auth", "Group")
    for name, codes in ROLES.items():
        role, is_new = group.objects.get_or_create(name=name)
        if is_new:  # else the operator has a group of this name already
            role.permissions.set([permissions[code] for code in codes])
    _keep_rights(apps.get_model("auth", "User"), permissions)


def _permissions(apps: Any) -> dict[str, Any]:
    found = apps.get_model("auth", "Permission").objects.select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}": each for each in found}


def _keep_rights(user: Any, permissions: dict[str, Any]) -> None:
    """Whoever was staff could publish and try; whoever could correct could purge."""
    for each in user.objects.filter(is_staff=True, is_superuser=False):
        each.user_permissions.add(*(permissions[code] for code in EDITS))
    corrects = permissions.get("classification.change_cacheentry")
    may_correct = Q(user_permissions=corrects) | Q(groups__permissions=corrects)
    for each in user.objects.filter(may_correct, groups__name__isnull=True).distinct():
        each.user_permissions.add(permissions["classification.purge_cacheentry"])


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0002_alert_state_names"),
        ("classification", "0013_permissions"),
        ("clients", "0002_anonymous"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
