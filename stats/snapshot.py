"""A consistent snapshot of the roll-ups and the pending rows, which are not rolled up yet."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction
from django.db.models import Model, QuerySet

from classification.errors import ServiceError
from stats.merging import Aggregation, Row
from stats.models import RollUp
from stats.rollup import chunks
from stats.routers import STATS_DB_ALIAS, read_from

logger = logging.getLogger(__name__)

# How long a reader rolls up due rows before giving up.
READER_SECONDS = 0.5
# Rolling up is slower than reading a few seconds' pending rows, so readers do it at most this
# often.
READER_PAUSE_SECONDS = 10.0
# Few enough for each statement to stay within the web server's read timeout.
READER_CHUNK_ROWS = 10_000
# Aggregating more at each reading would take too long.
MAX_PENDING_ROWS = 200_000

_catching_up = threading.Lock()


class Snapshot:
    """The pending rows, with ids after the roll-ups' `upto`, aggregated like the roll-ups."""

    def __init__(self, upto: dict[str, int]) -> None:
        self._upto = upto
        self._pending: dict[Aggregation, list[Row]] = {}

    def pending(self, aggregation: Aggregation) -> list[Row]:
        """The pending rows, aggregated as in the aggregation's table."""
        if aggregation not in self._pending:
            self._pending[aggregation] = (
                aggregation.merge(self.pending(aggregation.finer))
                if aggregation.finer
                else list(aggregation.select(self.pending_rows(aggregation.source)).order_by())
            )
        return self._pending[aggregation]

    def pending_between(self, aggregation: Aggregation, first: date, last: date) -> list[Row]:
        """The aggregated pending rows of the days from `first` to `last`."""
        return [row for row in self.pending(aggregation) if first <= row["day"] <= last]

    def pending_rows(self, source: type[Model]) -> QuerySet[Any]:
        """The rows of the log or the ledger that are not rolled up yet."""
        upto = self._upto.get(source._meta.db_table, 0)
        return source._default_manager.filter(pk__gt=upto)

    def rolled(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows among `rows` of the log or the ledger that are rolled up."""
        return rows.filter(pk__lte=self._upto.get(rows.model._meta.db_table, 0))


class SnapshotFigures:
    """The base of figures that are computed from one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def rows_between(self, aggregation: Aggregation, first: date, last: date) -> list[Row]:
        """The rolled and the pending rows of an aggregation by day, from `first` to `last`."""
        names = (*aggregation.keys, *aggregation.columns)
        table = aggregation.table._default_manager
        rolled = table.filter(day__range=(first, last)).values(*names)
        return [*rolled, *self.snapshot.pending_between(aggregation, first, last)]


@contextmanager
def current_snapshot() -> Iterator[Snapshot]:
    """A snapshot for a page or a response, after rolling up what is due.

    Raises ServiceError(statistics_behind) if there is so much that a background thread rolls it up.
    """
    _roll_up_for_a_reader()
    with open_snapshot() as snapshot:
        yield snapshot


@contextmanager
def open_snapshot(alias: str = "") -> Iterator[Snapshot]:
    """A snapshot, by default of the replica if there is one; everything read within the block is
    consistent with it.

    Takes no locks, so it may stay open for long.
    """
    alias = alias or _living_alias()
    with read_from(alias), _one_moment(alias):
        yield Snapshot({state.table: state.upto for state in RollUp.objects.all()})


def _living_alias() -> str:
    """The replica's alias if it is configured and responds, else the default database's."""
    if STATS_DB_ALIAS not in connections:
        return DEFAULT_DB_ALIAS
    try:
        connections[STATS_DB_ALIAS].ensure_connection()
    except OperationalError as error:
        logger.warning("STATS_DATABASE_URL does not answer (%s).", error.args[:1])
        return DEFAULT_DB_ALIAS
    return STATS_DB_ALIAS


@contextmanager
def _one_moment(alias: str) -> Iterator[None]:
    connection = connections[alias]
    if connection.in_atomic_block:  # the outer transaction determines the snapshot
        yield
        return
    connection.ensure_connection()
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with transaction.atomic(using=alias):
            yield
        return
    sqlite: Any = connection
    sqlite.transaction_mode, mode = "DEFERRED", sqlite.transaction_mode
    try:
        with transaction.atomic(using=alias):
            yield
    finally:
        sqlite.transaction_mode = mode


def _roll_up_for_a_reader() -> None:
    """Roll up what is due, or leave a backlog to a background thread."""
    states = list(RollUp.objects.all())
    now = time.time()
    if not states or any(
        # Also if it is far in the future, written by a wrong clock.
        abs(now - state.ceiling_time) >= READER_PAUSE_SECONDS
        for state in states
    ):
        until = time.monotonic() + READER_SECONDS
        for _ in chunks.roll_up(READER_CHUNK_ROWS):
            if time.monotonic() > until:
                break
        states = list(RollUp.objects.all())
    if sum(state.ceiling - state.upto for state in states) > MAX_PENDING_ROWS:
        if _catching_up.acquire(blocking=False):
            threading.Thread(target=_catch_up, name="roll-up", daemon=True).start()
        raise ServiceError("statistics_behind")


def _catch_up() -> None:
    try:
        for _ in chunks.catch_up(READER_CHUNK_ROWS):
            pass
    except Exception:  # the next reader tries again
        logger.exception("The log could not be rolled up.")
    finally:
        connection.close()
        _catching_up.release()
