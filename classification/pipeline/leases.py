"""Single flight across processes and hosts: a lease on asking the model about one photo.

A lease is a row of the table `flight`. That works on every supported database and holds no
connection while the model works (GET_LOCK would; Redis is optional). A miss costs one INSERT; the
heartbeat renews the lease, and it is deleted after the request. A holder is considered dead when
its heartbeat stops, never by comparing the clocks of two hosts.
"""

import logging
import secrets
import threading
import time
from datetime import timedelta
from typing import Any

from django.db import Error, IntegrityError, connection
from django.db.models import Case, F, When
from django.utils import timezone

from classification.choices import OK, Source
from classification.errors import ServiceError
from classification.model_output import Classification
from classification.models import Lease, PromptVersion
from classification.pipeline import answer_cache
from classification.pipeline.heartbeat import heartbeat
from classification.pipeline.request_log import Result
from core.database.connections import release_connection
from core.sharing import cpu_gate

logger = logging.getLogger(__name__)

# This process's copy of the prompt may be half a minute old. The INSERT checks the version, at no
# extra statement, before paying for an answer to an outdated prompt.
INSERT = (
    "INSERT INTO flight (image_hash, token, renewals, ending, created_at) "
    "SELECT %s, %s, 0, '', %s FROM (SELECT MAX(version) AS version FROM prompt_version) AS newest "
    "WHERE newest.version = %s"
)
# A holder that has not renewed for so long is dead. Leaves room for one renewal that fails after
# waiting for a silent database.
DEAD_SECONDS = 6.0
# A released lease stays for a while, for those who looked for the entry just before it was written.
LINGER_SECONDS = 10.0
POLL_SECONDS = 0.1
ABANDONED = timedelta(days=1)
# After so many unreadable answers about a photo, the model is not asked about it for a while.
MAX_UNREADABLE = 2
UNREADABLE_PAUSE = timedelta(hours=1)
UNREADABLE = "model_bad_reply"


class PromptChanged(Exception):
    """A newer prompt has been published than the one that would be used."""


def acquire(
    image_hash: str, *, prompt_version: int, looked_at: float, timeout: float
) -> str | Result:
    """The token of a new lease to ask about this photo; or else the result of another process that
    held one, or the failure of a photo whose answers to this prompt were unreadable.

    `looked_at` is when the answer was looked up in vain (seconds of the monotonic clock). Waits for
    another holder for at most `timeout` seconds. Raises ServiceError(model_timeout) after that,
    PromptChanged, and DatabaseError.
    """
    token = secrets.token_hex(16)
    if _insert(image_hash, token, prompt_version):  # nearly always
        return token if _is_recent(looked_at) else _look_again(image_hash, token)
    watch = _Watch()
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        # Read the lease before the entry: an entry is written before its lease is released.
        lease = Lease.objects.filter(image_hash=image_hash).first()
        result = watch.result_of(lease)
        if known := answer_cache.get_from_table([image_hash]).get(image_hash):
            return Result.hit(known)
        if result := result or _unreadable_failure(lease, prompt_version):
            return result
        if lease is None:
            is_ours = _insert(image_hash, token, prompt_version)
        else:
            is_ours = watch.take_over(lease, token, prompt_version)
        if is_ours:
            return token
        release_connection()
        with cpu_gate.released():
            time.sleep(POLL_SECONDS)
    raise ServiceError("model_timeout")


def release(token: str) -> None:
    """Release a lease whose answer is in the table; prune() deletes the row later."""
    heartbeat.unregister(token)
    _released.add(token)


def release_without_entry(token: str, *, ending: str, answer: dict[str, Any] | None = None) -> None:
    """Release a lease and publish how the call ended to processes that wait: with an `answer` that
    is not cached (ending "ok"), or with an error code."""
    try:
        Lease.objects.filter(token=token).update(ending=ending, answer=answer)
    except Error:  # they will see the heartbeat stop
        logger.warning("Other processes could not be told how asking about a photo ended.")
    release(token)


def release_unreadable(token: str, count: int, *, ending: str, prompt_version: int | None) -> None:
    """Publish how the call ended, and add `count` to the photo's unreadable answers."""
    # First, since some databases would evaluate it after assigning the new version.
    before = Case(When(prompt_version=prompt_version, then=F("unreadable")), default=0)
    try:
        Lease.objects.filter(token=token).update(
            unreadable=before + count,
            prompt_version=prompt_version,
            ending=ending,
            created_at=timezone.now(),
        )
    except Error:
        logger.warning("It could not be remembered that a photo's answers are unreadable.")
        release(token)
    else:
        heartbeat.unregister(token)  # the row stays until expire_unreadable() deletes it


def withdraw(token: str) -> None:
    """Delete the lease, so that another request can acquire one: this one may not ask the model."""
    heartbeat.unregister(token)
    Lease.objects.filter(token=token).delete()


def prune() -> None:
    """Mark released leases in the table, and delete those older than LINGER_SECONDS."""
    unmarked, old = _released.due()
    if unmarked:
        Lease.objects.filter(token__in=unmarked, ending="").update(ending=OK)
    if old:
        Lease.objects.filter(token__in=old).delete()
    _released.settled(unmarked, old)


def expire_abandoned() -> None:
    """Delete leases that killed processes left behind."""
    Lease.objects.filter(created_at__lt=timezone.now() - ABANDONED).delete()


def expire_unreadable() -> None:
    """Delete old records of unreadable answers. Unlike expire_abandoned(), it never deletes a lease
    that is held, even if this host's clock is wrong."""
    Lease.objects.filter(created_at__lt=timezone.now() - ABANDONED).exclude(ending="").delete()


def reset() -> None:
    """Forget the leases that this process released; for tests."""
    _released.clear()


def _is_recent(looked_at: float) -> bool:
    """Whether no other process can have finished, and its lease have been deleted, since
    `looked_at`."""
    return time.monotonic() - looked_at < LINGER_SECONDS / 2


def _look_again(image_hash: str, token: str) -> str | Result:
    try:
        known = answer_cache.get_from_table([image_hash]).get(image_hash)
    except BaseException:
        release(token)  # its heartbeat would go on, and nobody could ask about this photo
        raise
    if known is None:
        return token
    release(token)
    return Result.hit(known)


def _unreadable_failure(lease: Lease | None, prompt_version: int) -> Result | None:
    """The failure for a photo that has had MAX_UNREADABLE answers, each paid for, to this
    prompt."""
    if lease is None or not lease.ending or lease.unreadable < MAX_UNREADABLE:
        return None
    # abs(): a clock that was ahead must not make a longer pause.
    remaining = UNREADABLE_PAUSE - abs(timezone.now() - lease.created_at)
    if lease.prompt_version != prompt_version or remaining <= timedelta():
        return None
    return Result.failed(UNREADABLE, retry_after=int(remaining.total_seconds()) + 1)


class _Watch:
    """What a waiting process has observed of another holder's lease."""

    def __init__(self) -> None:
        self._seen: tuple[str, int] | None = None
        self._moved_at = 0.0

    def result_of(self, lease: Lease | None) -> Result | None:
        """The failure, or the answer that is not cached, if the lease being watched has ended."""
        if lease is None or not self._seen or self._seen[0] != lease.token:
            return None
        if lease.ending not in ("", OK):
            return Result.failed(lease.ending)
        return Result(Classification(**lease.answer), Source.LLM) if lease.answer else None

    def take_over(self, lease: Lease, token: str, prompt_version: int) -> bool:
        """Take over a lease that was released or whose holder is dead; return whether it
        succeeded. Raises PromptChanged."""
        if self._seen != (lease.token, lease.renewals):
            self._seen = lease.token, lease.renewals
            self._moved_at = time.monotonic()
        if not lease.ending and time.monotonic() - self._moved_at < DEAD_SECONDS:
            return False
        # As the INSERT does: the prompt may have changed while this process waited.
        if PromptVersion.objects.filter(version__gt=prompt_version).exists():
            raise PromptChanged
        taken = Lease.objects.filter(
            image_hash=lease.image_hash, token=lease.token, renewals=lease.renewals
        ).update(token=token, renewals=0, ending="", answer=None, created_at=timezone.now())
        if taken:
            heartbeat.register(token)
        return bool(taken)


def _insert(image_hash: str, token: str, prompt_version: int) -> bool:
    """Insert a new lease; return whether it succeeded, or False if there is one already."""
    created_at = connection.ops.adapt_datetimefield_value(timezone.now())
    try:
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [image_hash, token, created_at, prompt_version])
            if not cursor.rowcount:
                raise PromptChanged
    except IntegrityError:
        return False
    heartbeat.register(token)
    return True


class _ReleasedLeases:
    """The leases that this process has released, until their rows are deleted."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._marked: set[str] = set()
        self._lock = threading.Lock()

    def add(self, token: str) -> None:
        with self._lock:
            self._since[token] = time.monotonic()

    def due(self) -> tuple[list[str], list[str]]:
        """The tokens whose rows are not marked as released yet, and those whose rows are due for
        deletion."""
        with self._lock:
            before = time.monotonic() - LINGER_SECONDS
            old = [token for token, since in self._since.items() if since < before]
            return [token for token in self._since if token not in self._marked], old

    def settled(self, marked: list[str], deleted: list[str]) -> None:
        with self._lock:
            self._marked.update(marked)
            self._marked.difference_update(deleted)
            for token in deleted:
                self._since.pop(token, None)

    def clear(self) -> None:
        with self._lock:
            self._since.clear()
            self._marked.clear()


_released = _ReleasedLeases()
