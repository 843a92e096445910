"""Shorten the token keys in the admin's log."""

from typing import Any

from django.db import migrations

SHOWN = 6


def shorten_keys(apps: Any, schema_editor: Any) -> None:
    """Entries contain the whole key as the token's text and, in older ones, as its id."""
    entries = apps.get_model("admin", "LogEntry").objects.filter(
        content_type__app_label="authtoken"
    )
    for name in ("object_repr", "object_id"):
        for entry in entries.filter(**{f"{name}__regex": "^[0-9a-f]{40}$"}):
            setattr(entry, name, f"{getattr(entry, name)[:SHOWN]}…")
            entry.save(update_fields=[name])


class Migration(migrations.Migration):
    dependencies = [
        ("logins", "0002_tokens_and_cards"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(shorten_keys, migrations.RunPython.noop)]
