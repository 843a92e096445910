"""How the server processes are: each one says so in a table, and any of them can read it.

Breaker, slots and buffer are each process's own. Whoever asks one process, be it a dashboard, a
command or a load balancer, would see a part only.
"""

import contextlib
import functools
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from multiprocessing.util import Finalize

from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from classification import configured, flights, spending
from classification.models import ServerProcess
from classification.recorder import recorder
from classification.signals import process_observed
from classifier_project import __version__

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# Several beats may be lost before a process counts as gone.
ALIVE = timedelta(seconds=30)
KEEP = timedelta(hours=1)
BEATS_PER_SWEEP = 12


def alive() -> QuerySet[ServerProcess]:
    """The processes that wrote lately, by host."""
    since = timezone.now() - ALIVE
    return ServerProcess.objects.filter(seen_at__gte=since).order_by("host", "pid")


class ThisProcess:
    """What this process says of itself."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self._started_at = timezone.now()
        self._dropped = 0
        self._dropped_at: datetime | None = None

    def state(self) -> ServerProcess:
        """The unsaved row of this process as it is now."""
        now = timezone.now()
        if recorder.dropped != self._dropped:
            self._dropped, self._dropped_at = recorder.dropped, now
        provider = configured.provider()
        row = ServerProcess(
            token=self.token,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            started_at=self._started_at,
            seen_at=now,
            model_state=provider.status.state if provider else "not_configured",
            calls_in_flight=0,
            rows_waiting=recorder.waiting,
            rows_dropped=self._dropped,
            dropped_at=self._dropped_at,
        )
        if provider:
            row.calls_in_flight = provider.status.calls_in_flight
            row.denied_models = ", ".join(provider.status.denied_models)[:255]
            if rest := provider.status.rest:
                row.rest_code, row.rest_cause = rest.code, rest.cause
                row.rest_since = now - timedelta(seconds=rest.lasted)
                row.rest_until = now + timedelta(seconds=rest.remaining)
        return row


def this_process() -> ThisProcess:
    """What this process says of itself; a server's workers are forks of one process."""
    return _of_process(os.getpid())


@functools.cache
def _of_process(pid: int) -> ThisProcess:
    return ThisProcess()


class Reporter:
    """Writes the state of this process every BEAT_SECONDS, until the process ends."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._beats = 0

    def start(self) -> None:
        """Report from now on; an orderly end of the process takes its row out."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)
            self._thread.start()
            # After the recorder has written what waits, which is of a higher priority.
            Finalize(None, self._stop, exitpriority=50)

    def _run(self) -> None:
        while not self._stopped:
            with self._lock:
                self._try(self._beat)
            time.sleep(BEAT_SECONDS)

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            self._try(ServerProcess.objects.filter(token=this_process().token).delete)

    def _try(self, write: Callable[[], object]) -> None:
        try:
            write()
        except DatabaseError:
            if self._beats:
                logger.warning("How this process is cannot be written: the database is away.")
            self._beats = 0
        except Exception:
            logger.exception("How this process is could not be written.")
        finally:
            with contextlib.suppress(Exception):
                flights.release_connection()

    def _beat(self) -> None:
        if self._stopped:
            return
        state = this_process().state()
        process_observed.send_robust(type(self), state=state)
        state.save()
        self._beats += 1
        # Not after an outage, in which every process fell silent.
        if self._beats % BEATS_PER_SWEEP == 0:
            ServerProcess.objects.filter(seen_at__lt=timezone.now() - KEEP).delete()
            spending.take_in_orphans()


reporter = Reporter()


def all_states() -> Sequence[ServerProcess]:
    """This process as it is now, and the others as they last wrote; for use in a server."""
    return [this_process().state(), *alive().exclude(token=this_process().token)]
