"""The CPU gate: one upload at a time runs Python code, so that a hit never waits behind dozens of
threads.

Python runs one thread at a time, and the thread of a hit waits for those before it: a hundred
uploads when somebody opens an album. The gate is cooperative, not a lock: a thread that has waited
PATIENCE_SECONDS proceeds without it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 2.0

_gate = threading.Lock()
_mine = threading.local()


@contextmanager
def hold() -> Iterator[None]:
    """Hold the gate within the block; wrap long waits inside it in released()."""
    _take()
    try:
        yield
    finally:
        _give_back()


@contextmanager
def released() -> Iterator[None]:
    """Release the gate within the block, if this thread holds it, while it waits for something."""
    if not getattr(_mine, "is_taking_part", False):
        yield
        return
    _give_back()
    try:
        yield
    finally:
        _take()


def _take() -> None:
    _mine.is_taking_part = True
    _mine.has_gate = _gate.acquire(timeout=PATIENCE_SECONDS)


def _give_back() -> None:
    _mine.is_taking_part = False
    if _mine.has_gate:
        _gate.release()
