"""The places for calls that may be under way at once."""

import threading


class Slots:
    """`places` of them; `taken` says how many are in use."""

    def __init__(self, places: int) -> None:
        self._semaphore = threading.BoundedSemaphore(places)
        self._lock = threading.Lock()
        self.taken = 0

    def take(self, *, timeout: float) -> bool:
        """Whether a place came free within so many seconds."""
        if not self._semaphore.acquire(timeout=timeout):
            return False
        with self._lock:
            self.taken += 1
        return True

    def give_back(self) -> None:
        with self._lock:
            self.taken -= 1
        self._semaphore.release()
