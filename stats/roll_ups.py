"""Adds the request log and the ledger up into the tables of stats.models, each row once."""

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import DecimalField, F, Field, Max, Model, QuerySet, Value
from django.db.models.functions import Greatest

from classification.models import RequestLog
from stats import percentiles, tallies
from stats.models import Day, DayAddress, DayDuration, DayUser, RollUp
from stats.tallies import Tally

# An id is given out before its row can be seen; no writer takes as long as this in between.
SETTLING_SECONDS = 5.0
# The larger a chunk, the fewer times the row of one user is written; a kill loses one of them.
CHUNK_ROWS = 200_000
# Grouping a chunk by user takes more than the 16 MB that MariaDB allows by default, and twice as
# long on disk.
TEMPORARY_TABLE_BYTES = 256 * 1024 * 1024


def roll_up(chunk_rows: int | None = None) -> Iterator[int]:
    """Add up what is settled, chunk by chunk, giving the number of rows of each.

    Any number may run at once, and may be killed at any time: a chunk is added up by one of
    them, as a whole or not at all.
    """
    for source in tallies.SOURCES:
        while state := _settled(source):
            rows = _add_chunk(source, state, chunk_rows or CHUNK_ROWS)
            if rows is None:
                break
            yield rows


def catch_up(chunk_rows: int | None = None) -> Iterator[int]:
    """Add up everything that has come before now, giving the number of rows of each chunk."""
    yield from roll_up(chunk_rows)
    time.sleep(SETTLING_SECONDS)
    yield from roll_up(chunk_rows)


def _settled(source: type[Model]) -> RollUp | None:
    """The state of a source that has settled rows to add up; otherwise its ceiling is raised."""
    state, _ = RollUp.objects.get_or_create(
        table=source._meta.db_table,
        defaults={"ceiling": _last_id(source), "ceiling_time": time.time()},
    )
    if state.upto < state.ceiling:
        is_settled = time.time() - state.ceiling_time >= SETTLING_SECONDS
        return state if is_settled else None
    RollUp.objects.filter(pk=state.pk, upto=state.ceiling).update(
        ceiling=max(_last_id(source), state.ceiling), ceiling_time=time.time()
    )
    return None


def _last_id(source: type[Model]) -> int:
    return source._default_manager.aggregate(last=Max("pk"))["last"] or 0


def _add_chunk(source: type[Model], state: RollUp, chunk_rows: int) -> int | None:
    """Add up the next rows of a source; None if somebody else is at it."""
    settled = source._default_manager.filter(pk__gt=state.upto, pk__lte=state.ceiling)
    end = settled.order_by("pk").values_list("pk", flat=True)[chunk_rows - 1 : chunk_rows].first()
    upto = end or state.ceiling
    skip_locked = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        claim = RollUp.objects.select_for_update(skip_locked=skip_locked)
        if not claim.filter(pk=state.pk, upto=state.upto).first():
            return None
        rows = settled.filter(pk__lte=upto)
        # The locks wait for rows that are written but not committed yet.
        count = len(rows.select_for_update().values_list("pk"))
        add_up(rows)
        RollUp.objects.filter(pk=state.pk).update(upto=upto)
    return count


def add_up(rows: QuerySet[Any], sign: str = "+") -> None:
    """Count some rows of the log or the ledger in, or with the sign "-" out again."""
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SET SESSION tmp_table_size = %s, SESSION max_heap_table_size = %s",
                [TEMPORARY_TABLE_BYTES] * 2,
            )
    for tally in tallies.TALLIES:
        if tally.source is rows.model:
            _add(tally, rows, sign)
    if rows.model is RequestLog:
        for day in rows.order_by().values_list("created_date", flat=True).distinct():
            _complete(day)


def _add(tally: Tally, rows: QuerySet[Any], sign: str) -> None:
    """INSERT ... SELECT, adding to the rows that are there; the ORM can only replace them."""
    # In the order of the table, so that each of its pages is looked up once.
    select = tally.select(rows).order_by(*tally.keys)
    sql, params = select.query.sql_with_params()
    fields = [field for field in tally.table._meta.fields if field.name in _selected(select)]
    quote = connection.ops.quote_name
    table = quote(tally.table._meta.db_table)
    columns = ", ".join(quote(field.name) for field in fields)
    changes = [_change(table, f, sign) for f in fields if f.name not in tally.keys]
    # Of an address nothing adds up, and what is there is left as it is.
    changes = changes or [f"{quote(tally.keys[0])} = {table}.{quote(tally.keys[0])}"]
    if connection.vendor == "sqlite":
        on_conflict = f"ON CONFLICT ({', '.join(map(quote, tally.keys))}) DO UPDATE SET"
    else:
        on_conflict = "ON DUPLICATE KEY UPDATE"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ({sql}) AS added "  # noqa: S608
            f"WHERE 1 = 1 {on_conflict} {', '.join(changes)}",
            params,
        )


def _selected(select: QuerySet[Any, dict[str, Any]]) -> set[str]:
    return {*select.query.values_select, *select.query.annotation_select}


def _change(table: str, field: "Field[Any, Any]", sign: str) -> str:
    """How a column takes over what is added: the earlier, the later, or the sum."""
    name, is_sqlite = connection.ops.quote_name(field.name), connection.vendor == "sqlite"
    old = f"{table}.{name}"
    new = f"excluded.{name}" if is_sqlite else f"VALUES({name})"
    if field.name == "first_request":
        return f"{name} = {'MIN' if is_sqlite else 'LEAST'}({old}, {new})"
    if field.name == "last_request":
        return f"{name} = {'MAX' if is_sqlite else 'GREATEST'}({old}, {new})"
    total = f"{old} {sign} {new}"
    if is_sqlite and isinstance(field, DecimalField):  # which it keeps as binary fractions
        total = f"ROUND({total}, {field.decimal_places})"
    return f"{name} = {total}"


def _complete(day: date) -> None:
    """Bring up to date what does not add up from a day's parts."""
    durations = DayDuration.objects.filter(day=day).values_list("time_ms", "requests")
    addresses = DayAddress.objects.filter(day=day).count()
    Day.objects.filter(day=day).update(
        unique_users=DayUser.objects.filter(day=day).count(),
        # Fewer addresses than before: they are deleted with the log.
        unique_ips=Greatest("unique_ips", Value(addresses)),
        p95_time_ms=percentiles.percentile(95, durations),
    )


def forget_people(day: date, *, users: int, addresses: int) -> None:
    """Count so many users and addresses of a day less; their rows are gone."""
    Day.objects.filter(day=day).update(
        unique_users=F("unique_users") - users, unique_ips=F("unique_ips") - addresses
    )
