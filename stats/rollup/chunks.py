"""Rolls the request log and the ledger up into the tables of stats.models, each row exactly once.

Rows are added in the order of their ids, in chunks. Ids are not assigned in the order of commits if
several nodes of a cluster write, or a commit takes long: a row may become visible after its chunk
was added. So each chunk stores the ids it counted, and is checked again whenever its age has
doubled, for a day, to add late rows.
"""

import time
import zlib
from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Count, Max, Model, Q, QuerySet, Sum

from core.database.errors import is_conflict
from core.database.transactions import write_atomically
from stats import aggregations
from stats.models import RollUp, RollUpChunk
from stats.rollup.summary_tables import add_up

# An id is assigned before its row becomes visible; on one server, no commit takes longer than this.
SETTLING_SECONDS = 5.0
# The larger a chunk, the fewer times a user's row is written; a kill loses the work of one chunk.
CHUNK_ROWS = 200_000
# The age of a chunk at its first and last check.
FIRST_CHECK_SECONDS = 10.0
LAST_CHECK_SECONDS = 86_400.0
LATE_ROWS = 1000


def roll_up(chunk_rows: int | None = None) -> Iterator[int]:
    """Roll up settled and late rows; yields the number of rows of each chunk.

    Safe to run concurrently and to kill: each chunk is added by one run, completely or not at all.
    """
    for source in aggregations.SOURCES:
        while state := _settled(source):
            rows = _unless_in_conflict(_add_chunk, source, state, chunk_rows or CHUNK_ROWS)
            if rows is None:
                break
            yield rows
        now = time.time()
        # A chunk from the future was written by a clock that was ahead.
        is_due = Q(check_time__lte=now) | Q(rolled_time__gt=now + SETTLING_SECONDS)
        due = RollUpChunk.objects.filter(is_due, table=source._meta.db_table)
        for chunk in due.defer("ids").order_by("check_time"):
            yield _unless_in_conflict(_add_late_rows, source, chunk) or 0


def catch_up(chunk_rows: int | None = None) -> Iterator[int]:
    """Roll up everything written before now; yields the number of rows of each chunk."""
    yield from roll_up(chunk_rows)
    time.sleep(SETTLING_SECONDS)
    yield from roll_up(chunk_rows)


def rolled_up_to(source: type[Model]) -> int:
    """The id up to which the rows of the log or the ledger are rolled up."""
    state = RollUp.objects.filter(pk=source._meta.db_table).first()
    return state.upto if state else 0


def has_settled_rows() -> bool:
    """Whether there are rows that can be rolled up now."""
    return any(_settled(source) for source in aggregations.SOURCES)


def add_all_late_rows() -> int:
    """Add all late rows; returns their number."""
    late = 0
    for source in aggregations.SOURCES:
        for chunk in RollUpChunk.objects.filter(table=source._meta.db_table).defer("ids"):
            late += _add_late_rows(source, chunk) or 0
    return late


def _add_late_rows(source: type[Model], chunk: RollUpChunk) -> int | None:
    """Add the rows of a chunk that became visible since its last check; returns their number, or
    None if another process is rolling up."""
    rows = source._default_manager.filter(pk__range=(chunk.first_id, chunk.last_id))
    late: list[int] = []
    if _count_and_sum(rows) != (chunk.rows, chunk.id_sum):
        with transaction.atomic():
            if not _claim(chunk.table):
                return None
            # Read again now that it is locked.
            if locked := RollUpChunk.objects.filter(pk=chunk.pk).first():
                late = _add_unknown(rows, locked)
    now = time.time()
    rolled_time = min(chunk.rolled_time, now)
    if now - rolled_time >= LAST_CHECK_SECONDS:
        chunk.delete()
    else:
        twice = 2 * (now - rolled_time)
        age = min(max(twice, FIRST_CHECK_SECONDS), LAST_CHECK_SECONDS)
        RollUpChunk.objects.filter(pk=chunk.pk).update(
            rolled_time=rolled_time, check_time=rolled_time + age
        )
    return len(late)


def _add_unknown(rows: QuerySet[Any], chunk: RollUpChunk) -> list[int]:
    present = list(rows.order_by("pk").values_list("pk", flat=True))
    late = sorted(set(present).difference(_unpacked(bytes(chunk.ids))))
    for start in range(0, len(late), LATE_ROWS):
        add_up(rows.filter(pk__in=late[start : start + LATE_ROWS]))
    # Ids of deleted rows are dropped too: they are never reused.
    _remember(chunk, present)
    return late


def _settled(source: type[Model]) -> RollUp | None:
    """The state of a source with settled rows; None, after raising its ceiling, if there are
    none."""
    state, _ = write_atomically(
        RollUp.objects.get_or_create,
        table=source._meta.db_table,
        defaults={"ceiling": _last_id(source), "ceiling_time": time.time()},
    )
    if state.upto < state.ceiling:
        age = time.time() - state.ceiling_time
        if age < -SETTLING_SECONDS:  # written by a clock that was ahead; it may take hours
            RollUp.objects.filter(pk=state.pk, ceiling_time=state.ceiling_time).update(
                ceiling_time=time.time()
            )
        return state if age >= SETTLING_SECONDS else None
    RollUp.objects.filter(pk=state.pk, upto=state.ceiling).update(
        ceiling=max(_last_id(source), state.ceiling), ceiling_time=time.time()
    )
    return None


def _last_id(source: type[Model]) -> int:
    return source._default_manager.aggregate(last=Max("pk"))["last"] or 0


def _add_chunk(source: type[Model], state: RollUp, chunk_rows: int) -> int | None:
    """Add the next chunk of a source; None if another process is rolling up."""
    settled = source._default_manager.filter(pk__gt=state.upto, pk__lte=state.ceiling)
    end = settled.order_by("pk").values_list("pk", flat=True)[chunk_rows - 1 : chunk_rows].first()
    upto = end or state.ceiling
    with transaction.atomic():
        if not _claim(state.table, upto=state.upto):
            return None
        rows = settled.filter(pk__lte=upto)
        # Locking waits for rows that are not committed yet.
        locked = rows.select_for_update().order_by("pk")
        ids = list(locked.values_list("pk", flat=True))
        add_up(rows)
        if _count_and_sum(rows) != (len(ids), sum(ids)):  # a row became visible meanwhile
            transaction.set_rollback(True)
            return None
        RollUp.objects.filter(pk=state.pk).update(upto=upto)
        now = time.time()
        chunk = RollUpChunk(
            table=state.table,
            first_id=state.upto + 1,
            last_id=upto,
            rolled_time=now,
            check_time=now + FIRST_CHECK_SECONDS,
        )
        _remember(chunk, ids)
    return len(ids)


def _claim(table: str, **state: int) -> bool:
    """Lock the state of a table; False if it has changed, or another process has locked it."""
    skip_locked = connection.features.has_select_for_update_skip_locked
    claim = RollUp.objects.select_for_update(skip_locked=skip_locked)
    return claim.filter(pk=table, **state).first() is not None


def _unless_in_conflict(add: Any, *arguments: Any) -> int | None:
    try:
        rows: int | None = add(*arguments)
    except OperationalError as error:
        if is_conflict(error):
            return None
        raise
    return rows


def _count_and_sum(rows: QuerySet[Any]) -> tuple[int, int]:
    found = rows.aggregate(rows=Count("pk"), id_sum=Sum("pk"))
    return found["rows"], int(found["id_sum"] or 0)


def _remember(chunk: RollUpChunk, ids: list[int]) -> None:
    chunk.rows, chunk.id_sum, chunk.ids = len(ids), sum(ids), _packed(ids)
    chunk.save()


def _packed(ids: Iterable[int]) -> bytes:
    """Delta-encode and compress ascending ids: most differences are the same."""
    steps = array("Q", (after - before for before, after in pairwise([0, *ids])))
    return zlib.compress(steps.tobytes(), level=1)


def _unpacked(packed: bytes) -> Iterator[int]:
    return accumulate(array("Q", zlib.decompress(packed)))
