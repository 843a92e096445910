"""The write-behind buffer: model answers are written at once, hits and failures in batches after
the response.

A hit costs no statement of its own. Its log row and hit count wait here for at most FLUSH_SECONDS,
or longer while the database is unavailable, up to MAX_WAITING rows.
"""

import logging
import secrets
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from classification.billing import reservations
from classification.models import CacheEntry, WrittenBatch
from classification.pipeline import leases
from classification.pipeline.answer_cache import CachedAnswer
from classification.pipeline.answer_writes import AnswerWrite
from classification.pipeline.request_log import LogRow, write_rows
from classification.signals import requests_logged
from clients import quotas
from core.background import BackgroundLoop
from core.database.connections import release_connection
from core.database.errors import is_transient

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
BATCH_ROWS = 1000
MAX_WAITING = 50_000
STOP_SECONDS = 5.0
BEHIND_SECONDS = 15.0
# How long ids of written batches are kept; no process retries a batch for longer.
BATCH_ID_LIFETIME = timedelta(days=1)


class WriteBehindBuffer:
    """The rows that this process has yet to write."""

    def __init__(self) -> None:
        self._rows: deque[LogRow] = deque()
        self._answers: deque[AnswerWrite] = deque()
        self._batch: Batch | None = None
        self._flushing = threading.Lock()
        # Since when writing has failed (seconds of the monotonic clock).
        self._stuck_since: float | None = None
        self._loop = BackgroundLoop(
            "write-behind",
            self.flush,
            FLUSH_SECONDS,
            first=leases.expire_abandoned,
            last=self._flush_last,
            exit_priority=100,
        )
        self.dropped = 0

    def reset(self) -> None:
        """Discard everything that waits, and the count of dropped rows."""
        self._rows.clear()
        self._answers.clear()
        self._batch = None
        self._stuck_since = None
        self.dropped = 0

    @property
    def is_behind(self) -> bool:
        """Whether writing has failed for longer than BEHIND_SECONDS."""
        return self._stuck_since is not None and (
            time.monotonic() - self._stuck_since > BEHIND_SECONDS
        )

    @property
    def waiting(self) -> int:
        return len(self._rows) + len(self._answers) + (len(self._batch.rows) if self._batch else 0)

    def add(self, rows: Sequence[LogRow]) -> None:
        """Queue log rows; hits are also counted on their entries. Rows beyond MAX_WAITING are
        dropped."""
        room = max(MAX_WAITING - len(self._rows), 0)
        self._rows.extend(rows[:room])
        if dropped := len(rows[room:]):
            before, self.dropped = self.dropped, self.dropped + dropped
            if before == 0 or before // 1000 < self.dropped // 1000:
                logger.error("%d log rows dropped: the database does not keep up.", self.dropped)

    def store(self, answer: AnswerWrite) -> CachedAnswer | None:
        """Write a model's answer, its calls and its log row before the response is sent; return the
        answer that clients get from now on, if it is cached.

        If the database has just become unavailable, they are queued until it is back: what was paid
        for is neither lost nor paid for again, since the lease is held until then.
        """
        try:
            return answer.write()
        except Exception as error:
            if not is_transient(error):
                self._drop(error)
                return None
            logger.warning("An answer waits for the database to come back: %s", error)
        release_connection()
        self._answers.append(answer)
        return CachedAnswer.of(answer.entry) if answer.entry else None

    def start(self) -> None:
        """Flush every FLUSH_SECONDS from now on, and once more when the process ends."""
        self._loop.start()

    def _flush_last(self) -> None:
        """Write everything that waits, retrying for STOP_SECONDS while the database is
        unavailable."""
        until = time.monotonic() + STOP_SECONDS
        self.try_flush()
        while self.waiting and time.monotonic() < until:
            time.sleep(FLUSH_SECONDS)
            self.try_flush()
        if self.waiting:
            logger.error("Stopped without the database: %d rows are lost.", self.waiting)

    def try_flush(self) -> None:
        """Write everything that waits; errors are logged, and the rest is retried at the next
        flush."""
        self._loop.attempt(self.flush)

    def flush(self) -> None:
        """Write everything that waits; raises transient database errors, and keeps what is not
        written."""
        with self._flushing:
            self._stuck_since = self._stuck_since or time.monotonic()
            while self._answers:
                self._flush_answer(self._answers[0])
                self._answers.popleft()
            while self._rows or self._batch:
                self._flush_batch()
            self._stuck_since = None
            leases.prune()
            reservations.delete_settled()
            quotas.give_back_unsent()

    def _flush_answer(self, answer: AnswerWrite) -> None:
        try:
            answer.write()
        except Exception as error:  # whatever it is, those behind it must not wait for good
            if is_transient(error):
                raise
            self._drop(error)

    def _flush_batch(self) -> None:
        """Write rows in one transaction. They stay one batch until it succeeds, so that the
        database can reject a repetition if they were written after all."""
        batch = self._batch = self._batch or self._next_batch()
        try:
            batch.write()
        except Exception as error:
            if is_transient(error):
                raise
            self._batch = self._halved(batch.rows, error)
        else:
            self._batch = None
            requests_logged.send_robust(type(self), rows=batch.rows)

    def _next_batch(self) -> "Batch":
        rows = [self._rows.popleft() for _ in range(min(len(self._rows), BATCH_ROWS))]
        return Batch(secrets.token_hex(16), rows)

    def _halved(self, rows: Sequence[LogRow], error: Exception) -> "Batch | None":
        """The first half of a batch that cannot be written, to narrow down the offending row; None
        once that row is dropped."""
        if len(rows) == 1:
            self._drop(error)
            return None
        half = len(rows) // 2
        self._rows.extendleft(reversed(rows[half:]))
        return Batch(secrets.token_hex(16), rows[:half])

    def _drop(self, error: Exception) -> None:
        self.dropped += 1
        # Only the code: the message repeats personal data of the row.
        why = error.args[:1] if isinstance(error, DatabaseError) else type(error).__name__
        logger.error("A row could not be written and was dropped: %s", why)


class Batch(NamedTuple):
    """Rows that are written in one transaction, and the id that prevents writing them twice."""

    id: str
    rows: Sequence[LogRow]

    def write(self) -> None:
        """Write the rows and count their hits, unless that has been done; raises DatabaseError."""
        hits = Counter(row.image_hash for row in self.rows if row.from_cache)
        by_count: dict[int, list[str]] = defaultdict(list)
        for image_hash, count in sorted(hits.items()):  # in a fixed order, against deadlocks
            by_count[count].append(image_hash)
        now = timezone.now()
        with transaction.atomic():
            try:
                WrittenBatch(id=self.id).save(force_insert=True)
            except IntegrityError:  # an earlier commit got through after all
                transaction.set_rollback(True)
                return
            if settings.ENABLE_REQUEST_LOG:
                write_rows(self.rows)
            for count, image_hashes in by_count.items():
                CacheEntry.objects.filter(image_hash__in=image_hashes).update(
                    hit_count=F("hit_count") + count, last_hit_at=now
                )


def delete_old_batch_ids() -> None:
    """Delete the ids of batches that no process can still be retrying."""
    WrittenBatch.objects.filter(created_at__lt=timezone.now() - BATCH_ID_LIFETIME).delete()


buffer = WriteBehindBuffer()
