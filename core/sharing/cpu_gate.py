"""The CPU gate: one upload at a time runs Python code, so that a hit never waits behind dozens of
threads.

Python runs one thread at a time, and the thread of a hit waits for those before it: a hundred
uploads when somebody opens an album. Clients take turns, so that one who sends dozens of long
uploads holds up nobody else's. The gate is cooperative, not a lock: if one thread has held it for
PATIENCE_SECONDS, those that wait proceed without it.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from core.sharing.fair_queue import FairQueue, client_var

PATIENCE_SECONDS = 2.0

_mine = threading.local()
_lock = threading.Lock()
_waiting: FairQueue[threading.Event] = FairQueue()
_is_taken = False
_taken_at = 0.0


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
    global _is_taken, _taken_at
    _mine.is_taking_part = _mine.has_gate = True
    with _lock:
        if not _is_taken:
            _is_taken, _taken_at = True, time.monotonic()
            return
        client, turn = client_var.get(), threading.Event()
        _waiting.add(client, turn)
    while not turn.wait(PATIENCE_SECONDS):
        with _lock:
            if time.monotonic() - _taken_at >= PATIENCE_SECONDS:
                _mine.has_gate = not _waiting.remove(client, turn)
                return


def _give_back() -> None:
    global _is_taken, _taken_at
    _mine.is_taking_part = False
    if not _mine.has_gate:
        return
    with _lock:
        turn = _waiting.take()
        _is_taken, _taken_at = turn is not None, time.monotonic()
    if turn:
        turn.set()
