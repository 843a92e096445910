"""Bounds the memory that request bodies take in a process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from classification.api.request_bodies.limits import MEGABYTE
from classification.errors import ServiceError

# Shorter bodies are not counted: there are at most as many as threads.
COUNTED_FROM_BYTES = 64 * 1024
MAX_WAIT_SECONDS = 30.0


class BodyMemory:
    """A budget of `total` bytes that requests share; a body longer than the budget is admitted
    alone."""

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, length: int) -> Iterator[None]:
        """Wait for room for a body of `length` bytes, and hold it within the block.

        Raises ServiceError(model_busy) if there is none within MAX_WAIT_SECONDS.
        """
        taken = min(length, self._total) if length >= COUNTED_FROM_BYTES else 0
        with self._changed:
            if not self._changed.wait_for(lambda: self._free >= taken, MAX_WAIT_SECONDS):
                raise ServiceError("model_busy")
            self._free -= taken
        try:
            yield
        finally:
            with self._changed:
                self._free += taken
                self._changed.notify_all()


# Albums have a budget of their own: a slow upload of one does not hold up single photos.
photos = BodyMemory(400 * MEGABYTE)
albums = BodyMemory(200 * MEGABYTE)
