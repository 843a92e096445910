"""Bounds the memory and the threads that request bodies take in a process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from classification.api.request_bodies.limits import MEGABYTE, PHOTOS
from classification.fair_budget import UPLOAD_THREADS, FairBudget

# Shorter bodies are not counted: there are at most as many as threads.
COUNTED_FROM_BYTES = 64 * 1024
MAX_WAIT_SECONDS = 30.0
# A long body that has not arrived by then holds memory only for what has.
SLOW_SECONDS = 10.0
ALBUMS = {path for path, count in PHOTOS.items() if count > 1}

# Those that read bodies.
threads = FairBudget(UPLOAD_THREADS)
# Albums have a budget of their own: a slow upload of one does not hold up single photos.
photos = FairBudget(400 * MEGABYTE)
albums = FairBudget(200 * MEGABYTE)


class Room:
    """The memory that a body holds: for all of it at first, and from SLOW_SECONDS on for what has
    arrived."""

    def __init__(self, memory: FairBudget, client: str, length: int) -> None:
        self._memory, self._client, self._length = memory, client, length
        self._arrived = self._lent = 0
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def begin(self) -> None:
        """Note that a long body is read from now on."""
        self._timer = threading.Timer(SLOW_SECONDS, self._lend)
        self._timer.daemon = True
        self._timer.start()

    def add(self, length: int) -> None:
        """Note that so many more bytes of a long body have arrived. Raises ServiceError(model_busy)
        if it is slow, and others hold its memory for MAX_WAIT_SECONDS."""
        with self._lock:
            self._arrived = min(self._arrived + length, self._length)
            missing = self._lent - (self._length - self._arrived)
            if missing > 0:
                self._memory.reclaim(self._client, missing, patience=MAX_WAIT_SECONDS)
                self._lent -= missing

    def close(self) -> None:
        """Take back what was lent, for whoever gives all of it back now."""
        if self._timer:
            self._timer.cancel()
        with self._lock:
            self._memory.lend(self._client, -self._lent)
            self._lent = self._length = self._arrived = 0

    def _lend(self) -> None:
        with self._lock:
            self._lent = self._length - self._arrived
            self._memory.lend(self._client, self._lent)


@contextmanager
def hold(client: str, path: str, length: int) -> Iterator[Room]:
    """Within the block, hold memory for a body of `length` bytes from a client to `path`; a body
    longer than the budget is admitted alone.

    Raises ServiceError(model_busy) if there is none within MAX_WAIT_SECONDS.
    """
    memory = albums if path in ALBUMS else photos
    counted = min(length, memory.total) if length >= COUNTED_FROM_BYTES else 0
    with memory.hold(client, counted, patience=MAX_WAIT_SECONDS):
        room = Room(memory, client, counted)
        try:
            yield room
        finally:
            room.close()
