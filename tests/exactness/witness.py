"""What apps and staff were told, by whom it can be held against the tables."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

# Around a fault, a waiting row may be lost with its process, or a photo asked about twice.
BEFORE_SECONDS = 8.0
AFTER_SECONDS = 30.0


@dataclass(frozen=True)
class Told:
    """One photo's answer, as an app got it; times are the monotonic clock's."""

    at: float
    request_id: str
    number: int
    image_hash: str
    data: dict[str, Any]
    from_cache: bool
    source: str
    app: str


@dataclass(frozen=True)
class StaffAct:
    """What staff did to a photo, `is_sure` where the service said that it was done."""

    number: int
    what: str
    is_sure: bool
    category: str
    at: float


@dataclass
class Witness:
    answers: list[Told] = field(default_factory=list)
    operations: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    faults: list[tuple[str, float, float]] = field(default_factory=list)
    acts: list[StaffAct] = field(default_factory=list)
    unknown_since: list[float] = field(default_factory=list)
    highest_limit: int = 0
    defects: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, answer: Told) -> None:
        with self._lock:
            self.answers.append(answer)

    def count(self, operation: str) -> None:
        with self._lock:
            self.operations[operation] += 1

    def refuse(self, code: str) -> None:
        with self._lock:
            self.refusals[code] += 1

    def lose(self) -> None:
        with self._lock:
            self.lost += 1

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.faults.append((name, began, time.monotonic()))

    def is_excused(self, at: float, *kinds: str) -> bool:
        """Whether a fault of one of these kinds was near."""
        return any(
            name in kinds and began - BEFORE_SECONDS <= at <= ended + AFTER_SECONDS
            for name, began, ended in self.faults
        )

    def acts_on(self, number: int) -> list[StaffAct]:
        return [act for act in self.acts if act.number == number]
