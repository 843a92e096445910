"""A user's quota counters, which contain a digest of the day and the id."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.utils import timezone

from clients import quotas
from clients.models import QuotaCounter
from privacy.people import Person
from privacy.places.task import ErasureTask, ForgottenRows, Row


def forget(task: ErasureTask) -> Iterator[ForgottenRows]:
    """Delete the counters of past days. Today's stays, or forgetting would reset the quota."""
    for age in range(1, quotas.KEEP.days + 1):
        rows, _ = _counters(task.person, age).delete()
        yield QuotaCounter._meta.db_table, rows


def read(person: Person) -> Iterator[Row]:
    for age in range(quotas.KEEP.days + 1):
        yield from _counters(person, age).values("day", "app_id", "new_photos")


def count(person: Person) -> int:
    return sum(_counters(person, age).count() for age in range(1, quotas.KEEP.days + 1))


def _counters(person: Person, age: int) -> Any:
    day = timezone.localdate() - timedelta(days=age)
    rows = QuotaCounter.objects.filter(
        day=day, scope=QuotaCounter.Scope.USER, subject=quotas.digest(day, person.user_id)
    )
    return rows if person.app_id is None else rows.filter(app_id=person.app_id)
