"""A budget that clients share, such as threads or bytes: one client never takes all of it."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from classification.errors import ServiceError
from core.sharing import cpu_gate

# Threads that uploads never occupy: known photos are answered even while every model call hangs.
RESERVED_THREADS = 8
UPLOAD_THREADS = max(settings.WEB_THREADS - RESERVED_THREADS, 1)
# A client may hold this many times what it leaves free: three quarters while it is alone, and less
# the more is taken by others. (The dynamic thresholds of shared buffers in switches.)
MAX_TIMES_FREE = 3


class FairBudget:
    """`total` units, for which at most `max_waiting` requests wait; thread-safe."""

    def __init__(self, total: int, *, max_waiting: int = sys.maxsize) -> None:
        self._total = self._free = total
        self._held: Counter[str] = Counter()
        self._waiting, self._max_waiting = 0, max_waiting
        self._changed = threading.Condition()

    @property
    def total(self) -> int:
        return self._total

    @contextmanager
    def hold(self, client: str, amount: int, *, patience: float = 0.0) -> Iterator[int]:
        """Hold `amount` units on behalf of a client within the block, which gets how many the
        client holds then; more than the total is taken as the total.

        Waits at most `patience` seconds for the client's turn; raises ServiceError(model_busy)
        after that.
        """
        taken = min(amount, self._total)
        held = self._take(client, taken)
        if held is None:
            held = self._wait(client, taken, patience)
        try:
            yield held
        finally:
            with self._changed:
                self._add(client, -taken)
                self._changed.notify_all()

    def lend(self, client: str, amount: int) -> None:
        """Let others have `amount` units that a client holds."""
        with self._changed:
            self._add(client, -amount)
            self._changed.notify_all()

    def reclaim(self, client: str, amount: int, *, patience: float) -> None:
        """Hold units again that were lent; raises ServiceError(model_busy) if others still hold
        them after `patience` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: amount <= self._free, patience):
                raise ServiceError("model_busy")
            self._add(client, amount)

    def _take(self, client: str, amount: int) -> int | None:
        """How many units the client holds with these, or None if there is no room for them."""
        with self._changed:
            if not self._has_room(client, amount):
                return None
            self._add(client, amount)
            return self._held[client]

    def _wait(self, client: str, amount: int, patience: float) -> int:
        with cpu_gate.released(), self._changed:
            if self._waiting >= self._max_waiting:
                raise ServiceError("model_busy")
            self._waiting += 1
            try:
                if not self._changed.wait_for(lambda: self._has_room(client, amount), patience):
                    raise ServiceError("model_busy")
            finally:
                self._waiting -= 1
            self._add(client, amount)
            return self._held[client]

    def _has_room(self, client: str, amount: int) -> bool:
        left = self._free - amount
        held = self._held[client]  # a Counter adds no key when it is asked
        return left >= 0 and (not held or held + amount <= MAX_TIMES_FREE * left)

    def _add(self, client: str, amount: int) -> None:
        self._free -= amount
        self._held[client] += amount
        if not self._held[client]:
            del self._held[client]
