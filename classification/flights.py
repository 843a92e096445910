"""One flight per photo: of all who upload a new photo at once, one asks the model.

Within a process the others wait for its future. Between processes and hosts they wait for a
lease, a row of the table `flight`: it works on every database we support and holds no
connection while the model thinks (GET_LOCK would hold one, Redis need not be there). The
lease costs a miss one INSERT; it is renewed by a heartbeat, and released behind the request.

Whether a leader still lives is told by watching its heartbeat, never by comparing the clocks
of two hosts.
"""

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, connections
from django.db.models import F
from django.utils import timezone

from classification import known_photos, turns
from classification.errors import Refusal
from classification.known_photos import KnownPhoto
from classification.models import Flight

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
# A leader that has not renewed for so long is dead. One renewal may fail, after the seconds that
# a silent database is waited for.
DEAD_SECONDS = 6.0
# A landed lease stays for a while: who looked for the entry before it was written still finds
# that somebody was asking.
LINGER_SECONDS = 10.0
POLL_SECONDS = 0.1
LEFT_OVER = timedelta(days=1)
LANDED = "ok"

Landing = TypeVar("Landing")


class FlightFailed(Exception):
    """Another process asked the model about this photo and failed with `code`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TakeOff(NamedTuple):
    """The `token` of our own lease; or what another process's flight brought: the entry it left
    in the table, or an `answer` that is not kept."""

    token: str = ""
    known: KnownPhoto | None = None
    answer: dict[str, Any] | None = None


class Flights(Generic[Landing]):
    """The flights of this process: all who join one photo's get the leader's landing."""

    def __init__(self) -> None:
        self._flying: dict[str, Future[Landing]] = {}
        self._lock = threading.Lock()

    def join(
        self, image_hash: str, lead: Callable[[], Landing], *, timeout: float
    ) -> tuple[Landing, bool]:
        """What `lead` returns or raises, and whether this caller led.

        The others wait at most `timeout` seconds; raises Refusal(model_timeout) after that.
        """
        with self._lock:
            future = self._flying.get(image_hash)
            if leads := future is None:
                future = self._flying[image_hash] = Future()
        if not leads:
            try:
                with turns.give_way():
                    return future.result(timeout), False
            except FutureTimeout:
                raise Refusal("model_timeout") from None
        try:
            future.set_result(lead())
        except BaseException as error:
            future.set_exception(error)
        finally:
            with self._lock:
                del self._flying[image_hash]
        return future.result(), True


def take_off(image_hash: str, *, looked_at: float, timeout: float) -> TakeOff:
    """Our lease to ask about this photo, or the landing of another process's flight.

    `looked_at` is when the table did not have its answer (seconds of the monotonic clock). Waits
    for a flight of another process at most `timeout` seconds. Raises FlightFailed when
    that flight failed while we watched, Refusal(model_timeout) when it took too long,
    DatabaseError.
    """
    token = secrets.token_hex(16)
    if _insert(image_hash, token):  # nearly always
        return TakeOff(token) if _is_recent(looked_at) else _look_again(image_hash, token)
    watch = _Watch()
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        # Looked at before the table is: an entry is written before its lease says so.
        lease = Flight.objects.filter(image_hash=image_hash).first()
        answer = watch.landing_of(lease)
        known = known_photos.find_in_table([image_hash]).get(image_hash)
        if answer or known:
            return TakeOff(known=known, answer=answer)
        if _insert(image_hash, token) if lease is None else watch.take_over(lease, token):
            return TakeOff(token)
        release_connection()
        with turns.give_way():
            time.sleep(POLL_SECONDS)
    raise Refusal("model_timeout")


def _is_recent(looked_at: float) -> bool:
    """Whether no flight can have landed since, and its lease have been removed already."""
    return time.monotonic() - looked_at < LINGER_SECONDS / 2


def _look_again(image_hash: str, token: str) -> TakeOff:
    known = known_photos.find_in_table([image_hash]).get(image_hash)
    if known is None:
        return TakeOff(token)
    landed(token)
    return TakeOff(known=known)


class _Watch:
    """What one who waits has seen of somebody's lease."""

    def __init__(self) -> None:
        self._seen: tuple[str, int] | None = None
        self._moved_at = 0.0

    def landing_of(self, lease: Flight | None) -> dict[str, Any] | None:
        """The unkept answer of the flight we watched; raises FlightFailed when it failed."""
        if lease is None or not self._seen or self._seen[0] != lease.token:
            return None
        if lease.ending not in ("", LANDED):
            raise FlightFailed(lease.ending)
        return lease.answer

    def take_over(self, lease: Flight, token: str) -> bool:
        """Make a lease ours that has ended or whose leader is dead; whether it is now."""
        if self._seen != (lease.token, lease.renewals):
            self._seen = lease.token, lease.renewals
            self._moved_at = time.monotonic()
        if not lease.ending and time.monotonic() - self._moved_at < DEAD_SECONDS:
            return False
        taken = Flight.objects.filter(
            image_hash=lease.image_hash, token=lease.token, renewals=lease.renewals
        ).update(token=token, renewals=0, ending="", answer=None, created_at=timezone.now())
        if taken:
            _heart.hold(token)
        return bool(taken)


def _insert(image_hash: str, token: str) -> bool:
    """Whether a new lease could be made; an IntegrityError means that somebody has one."""
    try:
        Flight(image_hash=image_hash, token=token).save(force_insert=True)
    except IntegrityError:
        return False
    _heart.hold(token)
    return True


def landed(token: str) -> None:
    """Our flight's answer is in the table; settle() tells the lease, behind the request."""
    _heart.let_go(token)


def ended(token: str, *, ending: str, answer: dict[str, Any] | None = None) -> None:
    """Tell those who wait in other processes how our flight ended without an entry."""
    try:
        Flight.objects.filter(token=token).update(ending=ending, answer=answer)
    except DatabaseError:  # they will see that our heartbeat stands still
        logger.warning("The end of a flight could not be told to other processes.")
    _heart.let_go(token)


def settle() -> None:
    """Mark the leases of landed flights, and remove those that have lingered long enough."""
    fresh, old = _heart.landed_leases()
    if fresh:
        Flight.objects.filter(token__in=fresh, ending="").update(ending=LANDED)
    if old:
        Flight.objects.filter(token__in=old).delete()
    _heart.settled(fresh, old)


def sweep() -> None:
    """Remove what processes that were killed have left over."""
    Flight.objects.filter(created_at__lt=timezone.now() - LEFT_OVER).delete()


def release_connection() -> None:
    """Give this thread's connection back to the pool, so that few serve many threads."""
    mine = connections[DEFAULT_DB_ALIAS]  # once: the thread's own is looked up each time
    if not mine.in_atomic_block:
        mine.close_if_unusable_or_obsolete()


class _Heart:
    """The leases this process holds or has lately let go, and the beat that renews them."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._landed: dict[str, float] = {}
        self._marked: set[str] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def hold(self, token: str) -> None:
        """Renew this lease every HEARTBEAT_SECONDS from now on."""
        with self._lock:
            self._held.add(token)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
                self._thread.start()

    def let_go(self, token: str) -> None:
        with self._lock:
            self._held.discard(token)
            self._landed[token] = time.monotonic()

    def landed_leases(self) -> tuple[list[str], list[str]]:
        """The tokens that are not marked as landed yet, and those that have lingered."""
        with self._lock:
            before = time.monotonic() - LINGER_SECONDS
            old = [token for token, since in self._landed.items() if since < before]
            return [token for token in self._landed if token not in self._marked], old

    def settled(self, fresh: list[str], old: list[str]) -> None:
        with self._lock:
            self._marked.update(fresh)
            self._marked.difference_update(old)
            for token in old:
                self._landed.pop(token, None)

    def _beat(self) -> None:
        while True:
            time.sleep(HEARTBEAT_SECONDS)
            with self._lock:
                held = list(self._held)
                if not held:
                    self._thread = None
                    return
            try:
                Flight.objects.filter(token__in=held).update(renewals=F("renewals") + 1)
                release_connection()
            except Exception as error:  # a heart must not stop
                logger.warning("Leases could not be renewed: %s", error)
                with contextlib.suppress(Exception):
                    release_connection()


_heart = _Heart()
