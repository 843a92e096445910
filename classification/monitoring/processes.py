"""The states of all server processes, shared by a table.

Circuit breaker, slots and buffer belong to each process, so a dashboard, a command or a load
balancer that asks one process would see only a part.
"""

import functools
import os
import secrets
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from classification.billing import reservations
from classification.models import ServerProcess
from classification.pipeline import leases
from classification.pipeline.write_behind import buffer, delete_old_batch_ids
from classification.providers import registry
from classification.providers.base import Status
from classification.signals import process_observed
from clients import forgotten, quotas, tokens
from clients.directory import directory
from core import __version__
from core.background import BackgroundLoop

BEAT_SECONDS = 5.0
# A process may miss several beats before it counts as dead.
ALIVE = timedelta(seconds=30)
KEEP = timedelta(hours=1)
BEATS_PER_SWEEP = 12


def alive() -> QuerySet[ServerProcess]:
    """The processes that have reported recently, by host."""
    now = timezone.now()
    lately = ServerProcess.objects.filter(seen_at__gte=now - ALIVE, seen_at__lte=now + ALIVE)
    return lately.order_by("host", "pid")


def model_state(statuses: Sequence[Status]) -> str:
    """ "available" while any provider is, else "failing"; "not_configured" if there is none."""
    if not statuses:
        return "not_configured"
    return "available" if any(status.pause is None for status in statuses) else "failing"


class ThisProcess:
    """The state of this process."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self._started_at = timezone.now()
        self._dropped = 0
        self._dropped_at: datetime | None = None

    def state(self) -> ServerProcess:
        """The current state as an unsaved row."""
        now = timezone.now()
        if buffer.dropped != self._dropped:
            self._dropped, self._dropped_at = buffer.dropped, now
        statuses = [provider.status for provider in registry.providers()]
        row = ServerProcess(
            token=self.token,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            started_at=self._started_at,
            seen_at=now,
            model_state=model_state(statuses),
            calls_in_flight=sum(status.calls_in_flight for status in statuses),
            rows_waiting=buffer.waiting,
            rows_dropped=self._dropped,
            dropped_at=self._dropped_at,
        )
        denied = [model for status in statuses for model in status.denied_models]
        row.denied_models = ", ".join(denied)[:255]
        if pause := next((status.pause for status in statuses if status.pause), None):
            row.pause_code, row.pause_cause = pause.code, pause.cause
            row.paused_since = now - timedelta(seconds=pause.lasted)
            row.paused_until = now + timedelta(seconds=pause.remaining)
        return row


def this_process() -> ThisProcess:
    """The ThisProcess of this process, by pid, since a server's workers are forks."""
    return _of_process(os.getpid())


@functools.cache
def _of_process(pid: int) -> ThisProcess:
    return ThisProcess()


class Reporter:
    """Writes the state of this process every BEAT_SECONDS, and does periodic cleanup."""

    def __init__(self) -> None:
        self._beats = 0
        self._loop = BackgroundLoop(
            "reporter",
            self._beat,
            BEAT_SECONDS,
            first=self._beat,
            last=self._delete_row,
            # After the write-behind buffer, which has a higher priority.
            exit_priority=50,
        )

    def start(self) -> None:
        """Start reporting; an orderly exit of the process deletes its row."""
        self._loop.start()

    def _delete_row(self) -> None:
        ServerProcess.objects.filter(token=this_process().token).delete()

    def _beat(self) -> None:
        beats, self._beats = self._beats, 0  # starts again at 0 if this fails
        directory.refresh()
        state = this_process().state()
        process_observed.send_robust(type(self), state=state)
        state.save()
        self._beats = beats + 1
        # Not right after an outage, during which no process could report.
        if self._beats % BEATS_PER_SWEEP == 0:
            now = timezone.now()
            gone = Q(seen_at__lt=now - KEEP) | Q(seen_at__gt=now + KEEP)
            ServerProcess.objects.filter(gone).delete()
            reservations.settle_orphans()
            quotas.prune()
            forgotten.prune()
            tokens.forget_verified()
            delete_old_batch_ids()
            leases.expire_unreadable()


reporter = Reporter()


def all_states() -> Sequence[ServerProcess]:
    """The current state of this process, and the last reports of the others; for use in a
    server."""
    return [this_process().state(), *alive().exclude(token=this_process().token)]
