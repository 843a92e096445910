"""Slots bound the concurrent calls of all processes of a server.

Connections are not spread evenly over processes. With a limit for each, one process would reject
uploads, or keep them waiting, while another has slots to spare. Within a process, clients take
turns.
"""

import fcntl
import os
import threading
import time
from pathlib import Path

from core.sharing.fair_queue import FairQueue, client_var

POLL_INTERVAL_SECONDS = 0.02


class Slots:
    """`count` slots. Processes that use the same file share them: a slot is a locked byte of it,
    starting at byte `first`, which the system unlocks when its holder dies. Without a file, the
    slots belong to this process."""

    def __init__(
        self,
        count: int,
        file: Path | None = None,
        *,
        first: int = 0,
    ) -> None:
        self.count = count
        self._first = first
        self._file = os.open(file, os.O_RDWR) if file else None
        self._mine: set[int] = set()
        self._lock = threading.Lock()
        # Only the first one looks for a free slot.
        self._waiting: FairQueue[threading.Event] = FairQueue()

    @property
    def taken(self) -> int:
        """How many slots this process holds."""
        return len(self._mine)

    def acquire(self, patience: float) -> int | None:
        """Acquire a slot on behalf of the current client, waiting at most `patience` seconds; None
        if there was none."""
        until, client, turn = time.monotonic() + patience, client_var.get(), threading.Event()
        with self._lock:
            self._waiting.add(client, turn)
        while True:
            with self._lock:
                is_first = self._waiting.first() is turn
                slot = self._take() if is_first else None
                remaining = until - time.monotonic()
                if slot is not None or remaining <= 0:
                    self._leave(client, turn)
                    return slot
                turn.clear()
            # Slots released by other processes are found by polling.
            polls = is_first and self._file is not None
            turn.wait(min(remaining, POLL_INTERVAL_SECONDS) if polls else remaining)

    def release(self, slot: int) -> None:
        """Release a slot."""
        with self._lock:
            if self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._first + slot)
            self._mine.remove(slot)
            self._wake_first()

    def _leave(self, client: str, turn: threading.Event) -> None:
        if self._waiting.first() is turn:
            self._waiting.take()
            self._wake_first()
        else:
            self._waiting.remove(client, turn)

    def _wake_first(self) -> None:
        if turn := self._waiting.first():
            turn.set()

    def _take(self) -> int | None:
        for slot in range(self.count):
            if slot not in self._mine and self._lock_in_file(slot):
                self._mine.add(slot)
                return slot
        return None

    def _lock_in_file(self, slot: int) -> bool:
        if self._file is None:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._first + slot)
        except OSError:
            return False
        return True
