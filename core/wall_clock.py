"""The current local time in TIME_ZONE, for responses and rows, and when its days begin."""

from datetime import date, datetime, time

from django.utils import timezone


def now() -> datetime:
    """The current time with its offset. Ignores a thread's active time zone, which makes
    timezone.localtime() slow."""
    return datetime.now(timezone.get_default_timezone())


def midnight(day: date) -> datetime:
    """When a local day begins, with its offset."""
    return timezone.make_aware(datetime.combine(day, time()))
