"""Reading figures: the roll-ups, and the rows that none has counted yet, as of one moment."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Model, QuerySet

from classification.errors import Refusal
from stats import roll_ups
from stats.models import RollUp
from stats.tallies import Tally

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
# A reader adds up what is due, but does not make a person wait for a log of years.
READER_SECONDS = 0.5
# Adding up takes longer than reading a few seconds' rows as they are: one reader in a while does.
READER_PAUSE_SECONDS = 10.0
# So few that each statement ends well within the web server's time limit for one.
READER_CHUNK_ROWS = 10_000
# Adding up so many at a reading takes about as long as a person waits.
LONG_TAIL_ROWS = 200_000

_catching_up = threading.Lock()


class Tail:
    """What came after the roll-ups' `upto`, added up by the same tallies."""

    def __init__(self, upto: dict[str, int]) -> None:
        self._upto = upto
        self._rows: dict[Tally, list[dict[str, Any]]] = {}

    def rows(self, tally: Tally) -> list[dict[str, Any]]:
        """Rows as they would be in the tally's table."""
        if tally not in self._rows:
            self._rows[tally] = list(tally.select(self.source(tally.source)).order_by())
        return self._rows[tally]

    def source(self, source: type[Model]) -> QuerySet[Any]:
        """The rows of the log or the ledger that are not rolled up."""
        upto = self._upto.get(source._meta.db_table, 0)
        return source._default_manager.filter(pk__gt=upto)


def exactly(read: Callable[[Tail], Result]) -> Result:
    """What `read` finds, for a person who waits.

    Raises Refusal(statistics_behind) when so much is to be added up first that this goes on
    without them.
    """
    _bring_forward()
    with as_of_one_moment() as tail:
        return read(tail)


@contextmanager
def as_of_one_moment() -> Iterator[Tail]:
    """The tail, and with it everything else that is read meanwhile, as of one moment.

    Locks nothing, so that it may take long: others write, and roll up, as they please.
    """
    with _snapshot():
        yield Tail({state.table: state.upto for state in RollUp.objects.all()})


@contextmanager
def _snapshot() -> Iterator[None]:
    if connection.in_atomic_block:  # whose transaction it is decides
        yield
        return
    connection.ensure_connection()
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with transaction.atomic():
            yield
        return
    sqlite: Any = connection
    sqlite.transaction_mode, mode = "DEFERRED", sqlite.transaction_mode
    try:
        with transaction.atomic():
            yield
    finally:
        sqlite.transaction_mode = mode


def _bring_forward() -> None:
    """Roll up what is due, or leave a backlog to a thread of its own."""
    states = list(RollUp.objects.all())
    now = time.time()
    if not states or any(now - state.ceiling_time >= READER_PAUSE_SECONDS for state in states):
        until = time.monotonic() + READER_SECONDS
        for _ in roll_ups.roll_up(READER_CHUNK_ROWS):
            if time.monotonic() > until:
                break
        states = list(RollUp.objects.all())
    if sum(state.ceiling - state.upto for state in states) > LONG_TAIL_ROWS:
        if _catching_up.acquire(blocking=False):
            threading.Thread(target=_catch_up, name="roll-up", daemon=True).start()
        raise Refusal("statistics_behind")


def _catch_up() -> None:
    try:
        for _ in roll_ups.catch_up(READER_CHUNK_ROWS):
            pass
    except Exception:  # the next reader tries again
        logger.exception("The log could not be rolled up.")
    finally:
        connection.close()
        _catching_up.release()
