"""One upload at a time does Python's work, so that a hit never waits behind dozens of threads.

Python runs one thread at a time, and the thread of a hit waits until those before it have run:
when an album is opened, that is a hundred uploads. A turn is a courtesy, not a lock: who has
waited PATIENCE_SECONDS for one goes ahead without.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 2.0

_turns = threading.Lock()
_mine = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """Work in turn within the block; whatever waits in it for long gives way."""
    _take()
    try:
        yield
    finally:
        _give_back()


@contextmanager
def give_way() -> Iterator[None]:
    """Let others work while this thread waits; also for a thread that takes no turns."""
    if not getattr(_mine, "takes_turns", False):
        yield
        return
    _give_back()
    try:
        yield
    finally:
        _take()


def _take() -> None:
    _mine.takes_turns = True
    _mine.has_turn = _turns.acquire(timeout=PATIENCE_SECONDS)


def _give_back() -> None:
    _mine.takes_turns = False
    if _mine.has_turn:
        _turns.release()
