"""Slows all callers of this process down while the account is being throttled."""

import threading
import time
from collections.abc import Callable

FIRST_SPACING_SECONDS = 0.2
MAX_SPACING_SECONDS = 4.0
EASING = 0.7


class Pace:
    """The spacing between the starts of calls: none at first, doubled by each throttling
    answer, eased by each success."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._spacing = 0.0
        self._next_start = 0.0

    def reserve(self, patience: float) -> float | None:
        """Seconds to wait before the next call may start; None when over `patience`."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start)
            if start - now > patience:
                return None
            self._next_start = start + self._spacing
            return start - now

    def throttled(self) -> None:
        with self._lock:
            self._spacing = min(max(self._spacing * 2, FIRST_SPACING_SECONDS), MAX_SPACING_SECONDS)
            self._next_start = max(self._next_start, self._clock() + self._spacing)

    def succeeded(self) -> None:
        with self._lock:
            eased = self._spacing * EASING
            self._spacing = eased if eased > FIRST_SPACING_SECONDS / 4 else 0.0
