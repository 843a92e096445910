"""Slots bound the concurrent calls of all processes of a server.

Connections are not spread evenly over processes. With a limit for each, one process would reject
uploads, or keep them waiting, while another has slots to spare.
"""

import fcntl
import os
import threading
import time
from pathlib import Path

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
        self._changed = threading.Condition()
        self._looked_at = float("-inf")

    @property
    def taken(self) -> int:
        """How many slots this process holds."""
        return len(self._mine)

    def acquire(self, patience: float) -> int | None:
        """Acquire a slot, waiting at most `patience` seconds; None if there was none."""
        until = time.monotonic() + patience
        with self._changed:
            while (slot := self._take()) is None:
                remaining = until - time.monotonic()
                if remaining <= 0:
                    return None
                # Slots released by other processes are found by polling.
                self._changed.wait(
                    min(remaining, POLL_INTERVAL_SECONDS) if self._file is not None else remaining
                )
            return slot

    def release(self, slot: int) -> None:
        """Release a slot."""
        with self._changed:
            if self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._first + slot)
            self._mine.remove(slot)
            self._looked_at = float("-inf")
            self._changed.notify()

    def _take(self) -> int | None:
        # Another thread has just looked.
        if time.monotonic() - self._looked_at < POLL_INTERVAL_SECONDS:
            return None
        for slot in range(self.count):
            if slot not in self._mine and self._lock(slot):
                self._mine.add(slot)
                return slot
        self._looked_at = time.monotonic()
        return None

    def _lock(self, slot: int) -> bool:
        if self._file is None:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._first + slot)
        except OSError:
            return False
        return True
