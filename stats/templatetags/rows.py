"""Links from a figure to the rows it counts."""

from datetime import datetime
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils import timezone

register = template.Library()


@register.simple_tag
def log_rows(start: datetime, end: datetime, **filters: str | int) -> str:
    """The address of the requests from `start` to `end`, with filters of the request log; those
    without a value are left out."""
    return _address("requestlog", start, end, filters)


@register.simple_tag
def ledger_rows(start: datetime, end: datetime, **filters: str | int) -> str:
    """The address of the model calls from `start` to `end`, with filters of the ledger."""
    return _address("modelcall", start, end, filters)


def _address(table: str, start: datetime, end: datetime, filters: dict[str, str | int]) -> str:
    times = {"created_at__gte": start, "created_at__lt": end}
    query = {
        **{name: timezone.make_aware(at).isoformat() for name, at in times.items()},
        **{name: value for name, value in filters.items() if value},
    }
    return f"{reverse(f'admin:classification_{table}_changelist')}?{urlencode(query)}"
