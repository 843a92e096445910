"""Adds rows of the log and the ledger to the summary tables, and subtracts them."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import DecimalField, F, Model, QuerySet, Value
from django.db.models.functions import Greatest

from classification.models import RequestLog
from stats import aggregations
from stats.merging import Aggregation
from stats.models import Day, DayAddress, DayDuration, DayUser

# Grouping a chunk by user needs more than MariaDB's default of 16 MB, and takes twice as long on
# disk.
TEMPORARY_TABLE_BYTES = 256 * 1024 * 1024


def add_up(
    rows: QuerySet[Any], sign: str = "+", *, into: Collection[type[Model]] | None = None
) -> None:
    """Add rows of the log or the ledger to all summary tables, or those in `into`; with the sign
    "-", subtract them."""
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SET SESSION tmp_table_size = %s, SESSION max_heap_table_size = %s",
                [TEMPORARY_TABLE_BYTES] * 2,
            )
    for aggregation in aggregations.AGGREGATIONS:
        is_wanted = into is None or aggregation.table in into
        if aggregation.source is rows.model and is_wanted:
            _add(aggregation, rows, sign)
    if rows.model is RequestLog:
        for day in rows.order_by().values_list("created_date", flat=True).distinct():
            _complete(day)


def _add(aggregation: Aggregation, rows: QuerySet[Any], sign: str) -> None:
    """Upsert with INSERT ... SELECT, merging with existing rows; the ORM can only replace them."""
    # In the order of the primary key, so that each page is accessed once.
    select = aggregation.select(rows).order_by(*aggregation.keys)
    sql, params = select.query.sql_with_params()
    quote = connection.ops.quote_name
    table = quote(aggregation.table._meta.db_table)
    columns = ", ".join(map(quote, (*aggregation.keys, *aggregation.columns)))
    changes = [_change(aggregation, name, sign) for name in aggregation.columns]
    if connection.vendor == "sqlite":
        on_conflict = f"ON CONFLICT ({', '.join(map(quote, aggregation.keys))}) DO UPDATE SET"
    else:
        on_conflict = "ON DUPLICATE KEY UPDATE"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ({sql}) AS added "  # noqa: S608
            f"WHERE 1 = 1 {on_conflict} {', '.join(changes)}",
            params,
        )


def _change(aggregation: Aggregation, name: str, sign: str) -> str:
    """The SQL assignment that merges a new value into a column."""
    vendor, quote = connection.vendor, connection.ops.quote_name
    meta, column = aggregation.table._meta, quote(name)
    value = (
        aggregation.columns[name]
        .sql[vendor]
        .format(
            old=f"{quote(meta.db_table)}.{column}",
            new=f"excluded.{column}" if vendor == "sqlite" else f"VALUES({column})",
            sign=sign,
        )
    )
    field = meta.get_field(name)
    if vendor == "sqlite" and isinstance(field, DecimalField):  # stored as floating point
        value = f"ROUND({value}, {field.decimal_places})"
    return f"{column} = {value}"


def _complete(day: date) -> None:
    """Update the columns of a day that are not sums."""
    durations = DayDuration.objects.filter(day=day).values_list("time_ms", "requests")
    addresses = DayAddress.objects.filter(day=day).count()
    Day.objects.filter(day=day).update(
        unique_users=DayUser.objects.filter(day=day).count(),
        # The count never falls: addresses are deleted with the log.
        unique_ips=Greatest("unique_ips", Value(addresses)),
        p95_time_ms=percentile(95, durations),
    )


def forget_people(day: date, *, users: int, addresses: int) -> None:
    """Reduce a day's counts of users and addresses whose rows were deleted."""
    Day.objects.filter(day=day).update(
        unique_users=F("unique_users") - users, unique_ips=F("unique_ips") - addresses
    )


def percentile(percent: int, counts: Iterable[tuple[int, int]]) -> int:
    """A percentile of values given with their counts; 0 if there are none."""
    values = sorted(counts)
    total = sum(count for _, count in values)
    reached = 0
    for value, count in values:
        reached += count
        if 100 * reached >= percent * total:
            return value
    return 0
