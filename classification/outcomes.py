"""Who asks, what they are answered, and the log row that this leaves."""

import time
from dataclasses import dataclass, field
from decimal import Decimal

from classification.known_photos import KnownPhoto
from classification.models import RequestLog
from classification.results import Classification

OK = "ok"


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

    def hit(self, photo: KnownPhoto, image_size: int | None = None) -> RequestLog:
        """The row of a request that a cache entry answered; it saves what the entry cost."""
        row = self.answered(photo.image_hash, image_size, Outcome(photo.classification, "cache"))
        row.from_cache = True
        row.saved = photo.cost
        return row

    def answered(
        self, image_hash: str, image_size: int | None, outcome: Outcome, cost: Decimal = Decimal(0)
    ) -> RequestLog:
        """The row of an answer; `cost` is what this request spent on it, in yuan."""
        row = self.refused(image_hash, image_size, outcome.failure, cost)
        row.category = outcome.classification.category
        row.confidence = Decimal(str(outcome.classification.confidence))
        row.source = outcome.source
        return row

    def refused(
        self, image_hash: str, image_size: int | None, code: str, cost: Decimal = Decimal(0)
    ) -> RequestLog:
        """The row of a request that got no answer, for the reason `code`."""
        return RequestLog(
            request_id=self.request_id,
            user_id=self.user_id,
            ip_address=self.ip_address,
            image_hash=image_hash,
            image_size=image_size,
            processing_time_ms=self.elapsed_ms,
            outcome=code,
            cost=cost,
        )
