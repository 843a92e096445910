"""Periodic work of a process in the background, which survives any failure."""

import contextlib
import logging
import threading
from collections.abc import Callable
from multiprocessing.util import Finalize

from core.database.connections import release_connection
from core.database.errors import is_transient

logger = logging.getLogger(__name__)


class BackgroundLoop:
    """Runs `work` every `seconds` in a daemon thread.

    `first` runs once at the start, and `last` when the process exits, after which nothing runs any
    more. Of several loops, the one with the highest `exit_priority` ends first.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        seconds: float,
        *,
        first: Callable[[], object] | None = None,
        last: Callable[[], object] | None = None,
        exit_priority: int = 0,
    ) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._first = first
        self._last = last
        self._exit_priority = exit_priority
        self._thread: threading.Thread | None = None
        self._working = threading.Lock()
        self._stopping = threading.Event()
        self._is_in_outage = False

    def start(self) -> None:
        """Start the thread, unless it is running."""
        if self._thread and self._thread.is_alive():
            return
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()
        if self._last:
            # Unlike atexit, also runs at the exit of a server's child processes.
            Finalize(None, self.stop, exitpriority=self._exit_priority)

    def stop(self) -> None:
        """Wait for work in progress, then run `last`."""
        self._stopping.set()
        with self._working:
            if self._last:
                self.attempt(self._last)

    def attempt(self, work: Callable[[], object]) -> None:
        """Run `work` now; log exceptions, and an outage of the database only once."""
        try:
            work()
            self._is_in_outage = False
        except Exception as error:
            if not is_transient(error):
                logger.exception("The work of %s failed.", self._name)
            elif not self._is_in_outage:
                self._is_in_outage = True
                logger.warning("The work of %s waits for the database: %s", self._name, error)
        finally:
            with contextlib.suppress(Exception):
                release_connection()

    def _run(self) -> None:
        if self._first:
            self._attempt_unless_stopping(self._first)
        while not self._stopping.wait(self._seconds):
            self._attempt_unless_stopping(self._work)

    def _attempt_unless_stopping(self, work: Callable[[], object]) -> None:
        with self._working:
            if not self._stopping.is_set():
                self.attempt(work)
