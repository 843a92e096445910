"""How many calls may fly at once: one number for all processes of a server.

Connections are not spread evenly over the processes. With a number each, one would turn uploads
away, or let them wait, while another has places to spare.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

LOOK_SECONDS = 0.02


class Slots:
    """`count` places. Processes that name the same file share them: a place is a locked byte of
    it, which the system unlocks when its holder dies. Without a file they are this process's."""

    def __init__(
        self, count: int, file: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.count = count
        self._file = os.open(file, os.O_RDWR) if file else None
        self._clock = clock
        self._mine: set[int] = set()
        self._changed = threading.Condition()
        self._looked_at = float("-inf")

    @property
    def taken(self) -> int:
        """How many places this process holds."""
        return len(self._mine)

    def acquire(self, patience: float) -> int | None:
        """A free place, at the latest after `patience` seconds; None when none came free."""
        until = self._clock() + patience
        with self._changed:
            while (slot := self._take()) is None:
                remaining = until - self._clock()
                if remaining <= 0:
                    return None
                # What other processes release is seen by looking.
                self._changed.wait(
                    min(remaining, LOOK_SECONDS) if self._file is not None else remaining
                )
            return slot

    def release(self, slot: int) -> None:
        """Give a place back."""
        with self._changed:
            if self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, slot)
            self._mine.remove(slot)
            self._looked_at = float("-inf")
            self._changed.notify()

    def _take(self) -> int | None:
        if self._clock() - self._looked_at < LOOK_SECONDS:  # another thread has just looked
            return None
        for slot in range(self.count):
            if slot not in self._mine and self._lock(slot):
                self._mine.add(slot)
                return slot
        self._looked_at = self._clock()
        return None

    def _lock(self, slot: int) -> bool:
        if self._file is None:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
        except OSError:
            return False
        return True
