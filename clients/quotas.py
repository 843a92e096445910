"""Daily quotas of new photos and of yuan, exact across processes and hosts.

Before a model is asked about a new photo, the photo and its maximum cost are reserved in the
counters of the day, each by one conditional UPDATE. Whoever writes a call into the ledger adds its
cost to the counter in the same transaction, so each call counts exactly once. The reservation is
released by itself, and so is a photo that was not answered. Apps without limits cause no queries.
"""

import functools
import secrets
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from django.db import Error, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from clients.directory import AppInfo, Usage, directory
from clients.models import QuotaCounter, QuotaReservation
from clients.pseudonyms import keyed_digest
from core import wall_clock
from core.client_address import client_network
from core.database.reservations import Orphans, Unsent
from core.database.transactions import write_atomically

# Apps should retry by then: an operator may raise a limit before the day ends.
MAX_RETRY_SECONDS = 3600
BUSY_RETRY_SECONDS = 2
KEEP = timedelta(days=7)
KEEP_SUBJECTS = timedelta(days=1)
Scope = QuotaCounter.Scope
# Returns an app's usage of a day before it had a counter: new photos, millionths of a yuan.
UsedBefore = Callable[[int, date], tuple[int, int]]

_unsent: Unsent[QuotaReservation] = Unsent()
_orphans = Orphans()


class QuotaExceeded(Exception):
    """A quota of the app, the user or the address is exhausted; `retry_after` is in seconds."""

    def __init__(self, scope: str, retry_after: int) -> None:
        super().__init__(scope)
        self.scope = scope
        self.retry_after = retry_after


class Requester(NamedTuple):
    """The app, user and address whose quotas a new photo counts against."""

    app: AppInfo
    user_id: str | None = None
    address: str | None = None

    @property
    def network(self) -> str:
        """The network that the address counts as; "" without one."""
        return client_network(self.address)

    @property
    def who(self) -> str:
        """Who shares what a server has with others: the network, or without one the user."""
        return self.network or self.user_id or ""

    def subject(self, day: date) -> tuple[Scope, str, int] | None:
        """The scope, daily digest and limit of the user, or of the address if there is no user;
        None without a limit."""
        scope, who, limit = Scope.ADDRESS, self.network, self.app.address_new_photos_per_day
        if self.user_id:
            scope, who, limit = Scope.USER, self.user_id, self.app.user_new_photos_per_day
        return None if limit is None or not who else (scope, digest(day, who), limit)


def reserve(requester: Requester, amount: int, used_before: UsedBefore) -> QuotaReservation | None:
    """Reserve one new photo and `amount` millionths of a yuan of today's quotas.

    Returns None without limits. Raises QuotaExceeded and DatabaseError.
    """
    day = timezone.localdate()
    subject = requester.subject(day)
    if not requester.app.has_day_limits and subject is None:
        return None
    app_counter = _counter(requester, day, used_before) if requester.app.has_day_limits else None
    subject_counter = subject and _subject_counter(requester.app, day, *subject[:2])
    reservation = QuotaReservation(
        token=secrets.token_hex(16),
        counter=app_counter,
        subject_counter=subject_counter,
        amount=amount,
    )

    def take() -> None:
        if app_counter and not _take_of_app(app_counter.pk, requester.app, amount):
            raise QuotaExceeded(Scope.APP, _retry_after(app_counter, requester.app, amount))
        if subject_counter and subject and not _take_photo(subject_counter.pk, subject[2]):
            raise QuotaExceeded(subject[0], seconds_to_midnight(day))
        reservation.save(force_insert=True)

    try:
        write_atomically(take)
    except Error:  # the row may exist all the same, but nothing will be sent
        give_back_later(reservation)
        raise
    if app_counter:
        directory.add_usage(requester.app.id, 1, amount)
    return reservation


def charge(counter: QuotaCounter | None, spent: int) -> None:
    """Add what calls have cost (millionths of a yuan) to an app's counter. Must run in the
    transaction that writes them into the ledger."""
    if counter and spent:
        QuotaCounter.objects.filter(pk=counter.pk).update(spent=F("spent") + spent)
        app_id = counter.app_id
        # Not for an attempt that is rolled back and retried.
        transaction.on_commit(lambda: directory.add_usage(app_id, 0, spent))


def settle(reservation: QuotaReservation | None, *, is_answered: bool) -> None:
    """Release the reservation, and the photo unless it was answered. Must run in the transaction
    that writes the answer."""
    if reservation is None:
        return
    # False if it has been released as an orphan's.
    held = _delete(reservation)
    new_photos, freed = int(is_answered) - int(held), reservation.amount if held else 0
    _book(reservation, new_photos=new_photos, freed=freed)
    if reservation.counter:
        app_id = reservation.counter.app_id
        transaction.on_commit(lambda: directory.add_usage(app_id, new_photos, -freed))


def give_back_later(reservation: QuotaReservation | None) -> None:
    """Leave a reservation for which nothing was sent to give_back_unsent(): the database fails."""
    if reservation:
        _unsent.add(reservation)


def give_back_unsent() -> None:
    """Release the reservations for which nothing was sent; raises DatabaseError."""
    _unsent.release(_give_back)


def reset() -> None:
    """Forget everything this process has seen and is to give back; for tests."""
    _unsent.clear()
    _orphans.clear()


def release_orphans(after_seconds: float) -> None:
    """Release the reservations of killed processes: those first seen `after_seconds` ago. By then
    their calls must be in the ledger."""
    for orphan in _orphans.find(QuotaReservation.objects.all(), after_seconds):
        write_atomically(_give_back, orphan)


def _give_back(reservation: QuotaReservation) -> bool:
    """Release a photo that was not answered; return whether the reservation existed."""
    if not _delete(reservation):
        return False
    _book(reservation, new_photos=-1, freed=reservation.amount)
    return True


def _delete(reservation: QuotaReservation) -> bool:
    """Delete the reservation; return whether this call deleted it."""
    return bool(QuotaReservation.objects.filter(token=reservation.token).delete()[0])


def _book(reservation: QuotaReservation, *, new_photos: int, freed: int) -> None:
    """Update the counters; the app's first, as in reserve(), to avoid deadlocks."""
    if reservation.counter_id:
        QuotaCounter.objects.filter(pk=reservation.counter_id).update(
            new_photos=F("new_photos") + new_photos,
            reserved=F("reserved") - freed,
        )
    if new_photos and reservation.subject_counter_id:
        QuotaCounter.objects.filter(pk=reservation.subject_counter_id).update(
            new_photos=F("new_photos") + new_photos
        )


def prune() -> None:
    """Delete the counters of past days; those of users and addresses after a day, when no call can
    be in progress."""
    today = timezone.localdate()
    QuotaCounter.objects.filter(day__lt=today - KEEP).delete()
    QuotaCounter.objects.filter(day__lt=today - KEEP_SUBJECTS).exclude(scope=Scope.APP).delete()


def usage(app_id: int) -> Usage | None:
    """Today's usage of an app; None if it has no counter yet."""
    row = _find(app_id, timezone.localdate(), Scope.APP, "").first()
    return Usage(row.day, row.new_photos, row.spent + row.reserved) if row else None


def user_usage(app_id: int, user_id: str) -> int:
    """The new photos of a user today."""
    day = timezone.localdate()
    row = _find(app_id, day, Scope.USER, digest(day, user_id)).first()
    return row.new_photos if row else 0


def seconds_to_midnight(day: date) -> int:
    """The seconds until this local day is over, at most MAX_RETRY_SECONDS."""
    return min(seconds_left(day), MAX_RETRY_SECONDS)


def seconds_left(day: date) -> int:
    """The seconds until this local day is over."""
    return int(_end_of(day) - time.time()) + 1


@functools.lru_cache(maxsize=4)
def _end_of(day: date) -> float:
    """The midnight after a local day, in seconds since 1970."""
    return wall_clock.midnight(day + timedelta(days=1)).timestamp()


def _find(app_id: int, day: date, scope: Scope, subject: str) -> QuerySet[QuotaCounter]:
    return QuotaCounter.objects.filter(day=day, app_id=app_id, scope=scope, subject=subject)


def _counter(requester: Requester, day: date, used_before: UsedBefore) -> QuotaCounter:
    """The app's counter of the day; a new one starts with the usage before there was a limit."""
    found = _find(requester.app.id, day, Scope.APP, "").first()
    if found:
        return found
    new_photos, spent = used_before(requester.app.id, day)
    # Not in reserve()'s transaction, in which processes that find the row would each hold a lock
    # on it.
    return write_atomically(
        QuotaCounter.objects.get_or_create,
        day=day,
        app_id=requester.app.id,
        scope=Scope.APP,
        subject="",
        defaults={"new_photos": new_photos, "spent": spent},
    )[0]


def _subject_counter(app: AppInfo, day: date, scope: Scope, subject: str) -> QuotaCounter:
    return write_atomically(
        QuotaCounter.objects.get_or_create,
        day=day,
        app_id=app.id,
        scope=scope,
        subject=subject,
    )[0]


def _take_of_app(pk: int, app: AppInfo, amount: int) -> bool:
    rows = QuotaCounter.objects.filter(pk=pk)
    if app.new_photos_per_day is not None:
        rows = rows.filter(new_photos__lt=app.new_photos_per_day)
    if app.cost_per_day is not None:
        rows = rows.filter(spent__lte=app.cost_per_day - amount - F("reserved"))
    return bool(rows.update(new_photos=F("new_photos") + 1, reserved=F("reserved") + amount))


def _take_photo(pk: int, limit: int) -> bool:
    rows = QuotaCounter.objects.filter(pk=pk, new_photos__lt=limit)
    return bool(rows.update(new_photos=F("new_photos") + 1))


def _retry_after(counter: QuotaCounter, app: AppInfo, amount: int) -> int:
    """Seconds to wait: few if only reservations of calls in progress exceed the quota."""
    counter.refresh_from_db()
    photos, cost = app.new_photos_per_day, app.cost_per_day
    has_photos = photos is None or counter.new_photos < photos
    has_money = cost is None or counter.spent + amount <= cost
    return BUSY_RETRY_SECONDS if has_photos and has_money else seconds_to_midnight(counter.day)


def digest(day: date, who: str) -> str:
    """The digest of a user id or an address for a counter: keyed and different each day, so that it
    neither identifies anybody nor links days."""
    return keyed_digest("clients.quotas", f"{day}\0{who}")
