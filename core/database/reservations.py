"""What the reservations of money and of photos share. Both are rows that are made before a model is
asked, and deleted by whoever settles them first."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from django.db.models import Model

from core.database.transactions import write_atomically

# No commit takes longer; otherwise the reservation is found among the orphans.
UNSENT_SECONDS = 30


Row = TypeVar("Row", bound=Model)


class Unsent(Generic[Row]):
    """The reservations for which nothing was sent, as the database failed. They may exist all the
    same, if the acknowledgement of the commit got lost, or yet appear, if it is still in progress.
    """

    def __init__(self) -> None:
        self._rows: deque[tuple[Row, float]] = deque()

    def add(self, row: Row) -> None:
        self._rows.append((row, time.monotonic()))

    def release(self, take_back: Callable[[Row], bool]) -> None:
        """Release them with `take_back`, which says whether one existed, each in a transaction;
        those that did not are tried again for UNSENT_SECONDS. Raises DatabaseError, and keeps the
        others then."""
        for _ in range(len(self._rows)):
            row, since = self._rows[0]
            existed = write_atomically(take_back, row)
            self._rows.popleft()
            if not existed and time.monotonic() - since < UNSENT_SECONDS:
                self._rows.append((row, since))

    def clear(self) -> None:
        self._rows.clear()


class Orphans:
    """Finds the reservations of killed processes: those that this process has seen for long, by its
    monotonic clock. Clocks of hosts may jump, and are never compared."""

    def __init__(self) -> None:
        self._seen: dict[Any, float] = {}
        self._lock = threading.Lock()

    def find(self, rows: Iterable[Row], after_seconds: float) -> list[Row]:
        """Those of all `rows` that were first seen `after_seconds` ago."""
        now = time.monotonic()
        with self._lock:
            found = {row.pk: row for row in rows}
            for pk in set(self._seen) - set(found):
                del self._seen[pk]
            return [
                row
                for pk, row in found.items()
                if now - self._seen.setdefault(pk, now) >= after_seconds
            ]

    def clear(self) -> None:
        self._seen.clear()
