"""Admits a few threads at a time in the order of arrival, where Python's semaphores let newcomers
overtake those who wait."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """`places` threads at a time; one that has waited `patience` seconds goes ahead without a
    place, so that threads that wait for something else hold nobody up for long."""

    def __init__(self, places: int, *, patience: float) -> None:
        self._free = places
        self._patience = patience
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many threads wait for a place."""
        return len(self._waiting)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold a place within the block, or none after waiting in vain."""
        has_place = self._take()
        try:
            yield
        finally:
            if has_place:
                self._give_back()

    def _take(self) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=self._patience):
            return True
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # it was handed over just now

    def _give_back(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
