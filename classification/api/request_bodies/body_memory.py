"""Bounds the memory and the threads that request bodies take in a process."""

from collections.abc import Iterator
from contextlib import contextmanager

from classification.api.request_bodies.limits import MEGABYTE, PHOTOS
from classification.fair_budget import UPLOAD_THREADS, FairBudget

# Shorter bodies are not counted: there are at most as many as threads.
COUNTED_FROM_BYTES = 64 * 1024
MAX_WAIT_SECONDS = 30.0
ALBUMS = {path for path, count in PHOTOS.items() if count > 1}

# Those that read bodies.
threads = FairBudget(UPLOAD_THREADS)
# Albums have a budget of their own: a slow upload of one does not hold up single photos.
photos = FairBudget(400 * MEGABYTE)
albums = FairBudget(200 * MEGABYTE)


@contextmanager
def hold(client: str, path: str, length: int) -> Iterator[None]:
    """Within the block, hold memory for a body of `length` bytes from a client to `path`; a body
    longer than the budget is admitted alone.

    Raises ServiceError(model_busy) if there is none within MAX_WAIT_SECONDS.
    """
    memory = albums if path in ALBUMS else photos
    counted = length if length >= COUNTED_FROM_BYTES else 0
    with memory.hold(client, counted, patience=MAX_WAIT_SECONDS):
        yield
