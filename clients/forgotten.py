"""Marks of users who are being forgotten: rows that other processes have yet to write must not name
them again.

A row may wait in a buffer for as long as the database is down. So writers check for marks within
the transaction that writes; an erasure first marks the user, then waits for transactions that
checked before, and only then deletes.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from clients.models import ForgottenUser
from clients.pseudonyms import keyed_digest

# No row waits longer to be written.
KEEP = timedelta(days=1)
# A query for any mark of a subject(), for the statement that writes a row.
MARKS_OF = "SELECT 1 FROM client_forgotten_user WHERE subject = %s"


class Mark(NamedTuple):
    """A mark for a user of one app, or of all apps if `app_id` is None."""

    subject: str
    app_id: int | None
    began_before: datetime | None


class Forgotten:
    """The users being forgotten at the moment; nearly always none."""

    def __init__(self, marks: Iterable[Mark]) -> None:
        self._marks = list(marks)

    def __bool__(self) -> bool:
        return bool(self._marks)

    def has(self, app_id: int, user_id: str | None, began: datetime) -> bool:
        """Whether a row for a request that began at `began` must not name this user; `user_id` as
        stored."""
        if not self._marks or not user_id:
            return False
        wanted = subject(user_id)
        return any(
            mark.subject == wanted
            and mark.app_id in (None, app_id)
            and (mark.began_before is None or began < mark.began_before)
            for mark in self._marks
        )


def now_forgotten() -> Forgotten:
    """The current marks. Must be called in the transaction that writes; raises DatabaseError."""
    marks = ForgottenUser.objects.values_list("subject", "app_id", "began_before")
    return Forgotten(Mark(*mark) for mark in marks)


def mark(user_ids: Iterable[str], app_id: int | None) -> None:
    """From now on, write no request under any of these stored ids of a user."""
    for user_id in user_ids:
        if not _open_marks([user_id], app_id).exists():
            ForgottenUser.objects.create(subject=subject(user_id), app_id=app_id)


def unmark(user_ids: Iterable[str], app_id: int | None) -> None:
    """Allow requests that begin from now on to be written normally."""
    _open_marks(user_ids, app_id).update(began_before=timezone.now())


def _open_marks(user_ids: Iterable[str], app_id: int | None) -> QuerySet[ForgottenUser]:
    subjects = [subject(user_id) for user_id in user_ids]
    is_of_app = Q(app=None) if app_id is None else Q(app_id=app_id)
    return ForgottenUser.objects.filter(is_of_app, subject__in=subjects, began_before=None)


def prune() -> None:
    """Delete marks for which no row can be waiting any more, and those of a clock that was
    ahead, which would leave rows without a user until it is reached."""
    now = timezone.now()
    is_over = Q(began_before__lt=now - KEEP) | Q(began_before__gt=now + KEEP)
    ForgottenUser.objects.filter(is_over).delete()


def subject(user_id: str) -> str:
    """The digest by which marks name a user; `user_id` as stored."""
    return keyed_digest("clients.forgotten", user_id)
