"""Writes what happened: answers at once, free hits and refusals in batches behind the request.

A hit costs no statement of its own. Its log row and its hit count wait here for at most
FLUSH_SECONDS; while the database is away they wait longer, up to MAX_WAITING of them.
"""

import contextlib
import logging
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from multiprocessing.util import Finalize

from django.conf import settings
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import F
from django.utils import timezone

from classification import flights
from classification.known_photos import KnownPhoto
from classification.models import CacheEntry, RequestLog
from classification.outcomes import LogRow
from classification.signals import calls_logged, requests_logged
from classification.stored_answers import StoredAnswer

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
BATCH_ROWS = 1000
MAX_WAITING = 50_000
STOP_SECONDS = 5.0
# How a database fails that is away or busy; whatever else it says, it will say again.
AWAY = (OperationalError, InterfaceError)

INSERT = (
    f"INSERT INTO {RequestLog._meta.db_table} ({', '.join(LogRow._fields)}) "  # noqa: S608
    f"VALUES ({', '.join(['%s'] * len(LogRow._fields))})"
)


class Recorder:
    """The rows that wait to be written by this process."""

    def __init__(self) -> None:
        self._rows: deque[LogRow] = deque()
        self._answers: deque[StoredAnswer] = deque()
        self._unsure: list[LogRow] = []
        self._flushing = threading.Lock()
        self._thread: threading.Thread | None = None
        self.dropped = 0

    @property
    def waiting(self) -> int:
        return len(self._rows) + len(self._answers) + len(self._unsure)

    def add(self, row: LogRow) -> None:
        """Write this row soon; a hit also counts up its entry."""
        if len(self._rows) >= MAX_WAITING:
            self.dropped += 1
            if self.dropped == 1 or self.dropped % 1000 == 0:
                logger.error("%d log rows dropped: the database does not keep up.", self.dropped)
            return
        self._rows.append(row)

    def store(self, answer: StoredAnswer) -> KnownPhoto | None:
        """Write a model's answer, its calls and its log row before the answer leaves; gives the
        entry that clients get from now on, if it is kept.

        When the database has just gone, they are kept until it is back: what was paid for is
        neither lost nor asked for again, as its flight stays in the air till then.
        """
        try:
            known = answer.write()
        except AWAY:
            logger.exception("An answer waits for the database to come back.")
            flights.release_connection()
            self._answers.append(answer)
            return KnownPhoto.of(answer.entry) if answer.entry else None
        self._landed(answer)
        return known

    def _landed(self, answer: StoredAnswer) -> None:
        flights.landed(answer.flight_token)
        requests_logged.send_robust(type(self), rows=[answer.log])
        calls_logged.send_robust(type(self), calls=answer.calls)

    def start(self) -> None:
        """Flush every FLUSH_SECONDS from now on, and once more when the process ends."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()
            # Runs at the end of a server's child process too, where atexit does not.
            Finalize(None, self._stop, exitpriority=100)

    def _run(self) -> None:
        self._try(flights.sweep)
        while True:
            time.sleep(FLUSH_SECONDS)
            self._try(self.flush)

    def _stop(self) -> None:
        """Write what waits, with some patience for a database that is just coming back."""
        until = time.monotonic() + STOP_SECONDS
        self._try(self.flush)
        while self.waiting and time.monotonic() < until:
            time.sleep(FLUSH_SECONDS)
            self._try(self.flush)
        if self.waiting:
            logger.error("Stopped without the database: %d rows are lost.", self.waiting)

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except AWAY as error:
            logger.warning("%d rows wait for the database: %s", self.waiting, error)
        except Exception:
            logger.exception("The recorder could not write.")
        finally:
            # Whatever happens, the thread goes on.
            with contextlib.suppress(Exception):
                flights.release_connection()

    def flush(self) -> None:
        """Write everything that waits; raises one of AWAY, what is not written stays."""
        with self._flushing:
            while self._answers:
                self._flush_answer(self._answers[0])
                self._landed(self._answers.popleft())
            while self._rows or self._unsure:
                self._flush_rows()
            flights.settle()

    def _flush_answer(self, answer: StoredAnswer) -> None:
        try:
            if not answer.is_written():
                answer.write()
        except DatabaseError as error:
            if isinstance(error, AWAY):
                raise
            self._drop(error)

    def _flush_rows(self) -> None:
        is_new = not self._unsure
        # None may join an unsure batch: its rows were written together, or none of them was.
        while is_new and self._rows and len(self._unsure) < BATCH_ROWS:
            self._unsure.append(self._rows.popleft())
        try:
            if is_new or not _is_written(self._unsure):
                _write_rows(self._unsure)
        except DatabaseError as error:
            if isinstance(error, AWAY):
                raise
            self._without_refused(error)
        else:
            written, self._unsure = self._unsure, []
            requests_logged.send_robust(type(self), rows=written)

    def _without_refused(self, error: DatabaseError) -> None:
        """Halve a batch that the table refuses, down to the row that it is about."""
        half = len(self._unsure) // 2
        if not half:
            self._drop(error)
        self._rows.extendleft(reversed(self._unsure[half:] if half else []))
        self._unsure = self._unsure[:half]

    def _drop(self, error: DatabaseError) -> None:
        self.dropped += 1
        logger.error("A row was dropped, which the database refuses: %s", error)


def _is_written(rows: list[LogRow]) -> bool:
    """Whether a batch whose commit went unanswered was written after all; all of it or none."""
    first = rows[0]
    return RequestLog.objects.filter(
        request_id=first.request_id, image_hash=first.image_hash
    ).exists()


def _write_rows(rows: list[LogRow]) -> None:
    hits = Counter(row.image_hash for row in rows if row.from_cache)
    by_count: dict[int, list[str]] = defaultdict(list)
    for image_hash, count in sorted(hits.items()):  # in one order, against deadlocks
        by_count[count].append(image_hash)
    now = timezone.now()
    with transaction.atomic():
        if settings.ENABLE_REQUEST_LOG:
            _insert(rows)
        for count, image_hashes in by_count.items():
            CacheEntry.objects.filter(image_hash__in=image_hashes).update(
                hit_count=F("hit_count") + count, last_hit_at=now
            )


def _insert(rows: list[LogRow]) -> None:
    """bulk_create() without the ORM's work on each value, which took a third of a hit's time."""
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, [(adapt(row.created_at), *row[1:]) for row in rows])


recorder = Recorder()
