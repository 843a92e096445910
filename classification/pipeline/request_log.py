"""The client of a request, the result for a photo, and the log row made of both."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from classification.choices import OK, Source
from classification.errors import ServiceError
from classification.model_output import Classification
from classification.models import RequestLog
from classification.pipeline.answer_cache import CachedAnswer
from clients import forgotten, pseudonyms
from clients.directory import ANONYMOUS_APP, AppInfo
from clients.quotas import Requester
from core import wall_clock
from core.database.bulk_insert import insert_rows, insert_unless

ZERO = Decimal(0)
TABLE = RequestLog._meta.db_table
ANONYMOUS_REQUESTER = Requester(ANONYMOUS_APP)
# The values of identifying columns in the rows of a forgotten user. Statistics rolled up before do
# not change; they cannot be rebuilt from such rows.
FORGOTTEN_COLUMNS: dict[str, Any] = {
    "request_id": "forgotten",
    "user_id": None,
    "ip_address": None,
    "image_hash": "",
}


class LogRow(NamedTuple):
    """A row of the request log before it is written; its fields are the table's columns.

    Not a model instance: creating one takes as long as the rest of a hit.
    """

    created_at: datetime
    request_id: str
    user_id: str | None
    ip_address: str | None
    image_hash: str
    image_size: int | None
    processing_time_ms: int
    category: str
    confidence: Decimal
    from_cache: bool
    outcome: str
    source: str
    cost: Decimal
    saved: Decimal
    app_id: int
    reason: str = ""

    @property
    def began(self) -> datetime:
        return self.created_at - timedelta(milliseconds=self.processing_time_ms)

    def anonymized(self) -> "LogRow":
        """The same row without anything that identifies the user."""
        return self._replace(**FORGOTTEN_COLUMNS)


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """The client that sent a request; `started` is when it arrived (seconds of the monotonic
    clock)."""

    request_id: str
    # App, user and address as the request has them, for limits; never written down.
    requester: Requester = ANONYMOUS_REQUESTER
    # Whether the user id comes from a token, and so cannot be forged.
    has_token: bool = False
    # Staff who try photos on their pages: the cost is in the ledger, but log and statistics leave
    # them out.
    is_staff_page: bool = False
    started: float = field(default_factory=time.monotonic)

    @property
    def app(self) -> AppInfo:
        return self.requester.app

    @property
    def user_id(self) -> str | None:
        """The user id as it is stored: kept, hashed or dropped, as USER_IDS says."""
        return pseudonyms.keep_user_id(self.requester.user_id)

    @property
    def ip_address(self) -> str | None:
        """The address as it is stored, as IP_ADDRESSES says."""
        return pseudonyms.keep_address(self.requester.address)

    @property
    def began(self) -> datetime:
        return wall_clock.now() - timedelta(milliseconds=self.elapsed_ms)

    @property
    def elapsed_ms(self) -> int:
        return int((time.monotonic() - self.started) * 1000)


@dataclass(frozen=True, slots=True)
class Result:
    """The result for one photo: a hit, an answer, or a failure.

    `source` is where the classification comes from: cache, llm, local or none; "" without one.
    `failure` is "ok" or an error code; with an error code, a classification from `local` or `none`
    is a fallback. `cached` is the entry that holds the answer, if there is one. `cost` is what this
    request spent, in yuan. `is_logged` says that the log row was written together with the answer.
    `image_hash` is the SHA-256 of the uploaded bytes. `reason` is the reason behind an error code
    that has several: DAILY_LIMIT, or a provider's cause.
    """

    classification: Classification | None
    source: str = ""
    failure: str = OK
    retry_after: int | None = None
    cached: CachedAnswer | None = None
    cost: Decimal = ZERO
    is_logged: bool = False
    image_hash: str = ""
    reason: str = ""

    @classmethod
    def hit(cls, cached: CachedAnswer) -> "Result":
        """The result of a cache hit."""
        return cls(cached.classification, Source.CACHE, cached=cached)

    @classmethod
    def failed(cls, code: str, retry_after: int | None = None, reason: str = "") -> "Result":
        """A failure with an error `code` and the reason behind it; `retry_after` is in seconds."""
        return cls(None, failure=code, retry_after=retry_after, reason=reason)

    @property
    def from_cache(self) -> bool:
        return self.source == Source.CACHE

    @property
    def is_degraded(self) -> bool:
        """Whether the classification is a fallback after a failed model call."""
        return self.classification is not None and self.failure != OK

    def for_another_request(self) -> "Result":
        """The same result for a request that waited for it: a hit if it is cached, and free in any
        case."""
        if self.cached:
            return Result.hit(self.cached)
        return replace(self, cost=ZERO, is_logged=False)

    def answer(self) -> Classification:
        """The classification; raises ServiceError if there is none."""
        if self.classification is None:
            raise ServiceError(self.failure, retry_after=self.retry_after)
        return self.classification


def hit_rows(
    client: ClientInfo, known: Sequence[CachedAnswer], image_size: int | None = None
) -> list[LogRow]:
    """The log rows of a request that was answered by these entries; a hit saves what its entry
    cost."""
    now, elapsed_ms = wall_clock.now(), client.elapsed_ms
    user_id, address, app_id = client.user_id, client.ip_address, client.app.id
    return [
        LogRow(
            created_at=now,
            request_id=client.request_id,
            user_id=user_id,
            ip_address=address,
            image_hash=answer.image_hash,
            image_size=image_size,
            processing_time_ms=elapsed_ms,
            category=answer.category,
            confidence=answer.confidence,
            from_cache=True,
            outcome=OK,
            source=Source.CACHE,
            cost=ZERO,
            saved=answer.cost,
            app_id=app_id,
        )
        for answer in known
    ]


def log_row(
    client: ClientInfo, result: Result, image_hash: str = "", image_size: int | None = None
) -> LogRow:
    """The log row of a request with this result; `image_size` is in bytes."""
    hit = result.cached if result.from_cache else None
    answer = result.classification
    return LogRow(
        created_at=wall_clock.now(),
        request_id=client.request_id,
        user_id=client.user_id,
        ip_address=client.ip_address,
        image_hash=image_hash,
        image_size=image_size,
        processing_time_ms=client.elapsed_ms,
        category=answer.category if answer else "",
        confidence=hit.confidence if hit else Decimal(str(answer.confidence)) if answer else ZERO,
        from_cache=result.from_cache,
        outcome=result.failure,
        source=result.source,
        cost=result.cost,
        saved=hit.cost if hit else ZERO,
        app_id=client.app.id,
        reason=result.reason,
    )


def write_row(row: LogRow) -> None:
    """Write one row as write_rows() does, nearly always with one statement, which looks for marks
    of its user itself."""
    subject = forgotten.subject(row.user_id or "")
    if not insert_unless(TABLE, LogRow._fields, row, forgotten.MARKS_OF, [subject]):
        write_rows([row])


def write_rows(rows: Sequence[LogRow]) -> None:
    """Write rows, those of forgotten users anonymized; must run in a transaction."""
    insert_rows(TABLE, LogRow._fields, _without_forgotten(rows))


def _without_forgotten(rows: Sequence[LogRow]) -> Sequence[LogRow]:
    if not any(row.user_id for row in rows):  # nobody to look up
        return rows
    now_forgotten = forgotten.now_forgotten()
    if not now_forgotten:
        return rows
    return [
        row.anonymized() if now_forgotten.has(row.app_id, row.user_id, row.began) else row
        for row in rows
    ]
