"""Who asks, what they are answered, and the log row that this leaves."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from classification.known_photos import KnownPhoto
from classification.results import Classification

OK = "ok"
ZERO = Decimal(0)


class LogRow(NamedTuple):
    """A row of the request log before it is written; its fields are the table's columns.

    Not the model: making an instance of that takes as long as the rest of a hit.
    """

    created_at: datetime
    request_id: str
    user_id: str | None
    ip_address: str | None
    image_hash: str
    image_size: int | None
    processing_time_ms: int
    category: str = ""
    confidence: Decimal = ZERO
    from_cache: bool = False
    outcome: str = OK
    source: str = ""
    cost: Decimal = ZERO
    saved: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer and where it is from: cache, llm, local or none. `failure` is "ok", or the code
    of the failed model call that the answer stands in for."""

    classification: Classification
    source: str
    failure: str = OK

    @property
    def degraded(self) -> bool:
        return self.failure != OK


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, and when it came in (seconds of the monotonic clock)."""

    request_id: str
    user_id: str | None = None
    ip_address: str | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed_ms(self) -> int:
        return int((time.monotonic() - self.started) * 1000)

    def hit(self, photo: KnownPhoto, image_size: int | None = None) -> LogRow:
        """The row of a request that a cache entry answered; it saves what the entry cost."""
        return self._row(
            photo.image_hash,
            image_size,
            category=photo.category,
            confidence=photo.confidence,
            from_cache=True,
            source="cache",
            saved=photo.cost,
        )

    def answered(
        self, image_hash: str, image_size: int | None, outcome: Outcome, cost: Decimal = ZERO
    ) -> LogRow:
        """The row of an answer; `cost` is what this request spent on it, in yuan."""
        return self._row(
            image_hash,
            image_size,
            category=outcome.classification.category,
            confidence=Decimal(str(outcome.classification.confidence)),
            outcome=outcome.failure,
            source=outcome.source,
            cost=cost,
        )

    def refused(
        self, image_hash: str, image_size: int | None, code: str, cost: Decimal = ZERO
    ) -> LogRow:
        """The row of a request that got no answer, for the reason `code`."""
        return self._row(image_hash, image_size, outcome=code, cost=cost)

    def _row(self, image_hash: str, image_size: int | None, **fields: Any) -> LogRow:
        return LogRow(
            request_id=self.request_id,
            user_id=self.user_id,
            ip_address=self.ip_address,
            image_hash=image_hash,
            image_size=image_size,
            processing_time_ms=self.elapsed_ms,
            created_at=timezone.now(),
            **fields,
        )
