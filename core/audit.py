"""The audit log of what staff do: Django's admin log, to which our pages add entries.

The admin records what staff add and change there. django-auditlog was considered: it records every
save of a model, including the service's own, but neither logins nor purges.
"""

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model


def record(user: Any, changed: Model | type[Model], message: str) -> None:
    """Record what a staff user did to a row (an instance), or to rows of a table (a model
    class)."""
    is_row = isinstance(changed, Model)
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(changed, for_concrete_model=False),
        object_id=str(changed.pk) if is_row else None,
        object_repr=str(changed if is_row else changed._meta.verbose_name_plural)[:200],
        action_flag=CHANGE,
        change_message=message,
    )
