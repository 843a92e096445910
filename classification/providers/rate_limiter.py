"""Slows down all calls of this process while the account is being throttled."""

import threading
import time
from collections.abc import Callable

FIRST_SPACING_SECONDS = 0.2
MAX_SPACING_SECONDS = 4.0
RECOVERY_FACTOR = 0.7
# The longest Retry-After of a provider that is honoured.
MAX_WAIT_SECONDS = 60.0


class RateLimiter:
    """Spaces the starts of calls: not at first, twice as far after each throttling response, and
    closer after each success."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._spacing = 0.0
        self._next_start = 0.0

    def reserve(self, patience: float) -> float:
        """Reserve the next start; return the seconds to wait for it. Reserves nothing if they
        exceed `patience` seconds."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start)
            if start - now <= patience:
                self._next_start = start + self._spacing
            return start - now

    def record_throttled(self, retry_after: float = 0.0) -> None:
        """The provider throttled a call, and wants none for `retry_after` seconds."""
        with self._lock:
            self._spacing = min(max(self._spacing * 2, FIRST_SPACING_SECONDS), MAX_SPACING_SECONDS)
            wait = max(self._spacing, min(retry_after, MAX_WAIT_SECONDS))
            self._next_start = max(self._next_start, self._clock() + wait)

    def record_success(self) -> None:
        with self._lock:
            eased = self._spacing * RECOVERY_FACTOR
            self._spacing = eased if eased > FIRST_SPACING_SECONDS / 4 else 0.0
