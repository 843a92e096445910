"""Finds rows missing from the statistics, and recounts whole days while the service is running."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import Count, Max, Min, Model, QuerySet, Sum

from classification.models import LocalDate, ModelCall, RequestLog
from classification.pipeline.request_log import FORGOTTEN_COLUMNS
from stats import aggregations
from stats.aggregations import AGGREGATIONS
from stats.figures import Figures
from stats.models import Day, DayLedger, DayUser, RollUp, User
from stats.ranges import CATEGORIES, ERRORS, REQUESTS, has_all_minutes
from stats.rollup.chunks import add_all_late_rows
from stats.rollup.summary_tables import add_up
from stats.snapshot import open_snapshot

TABLES_BY_DAY = {each.table for each in AGGREGATIONS if "day" in each.keys}
TABLES_BY_MINUTE = {each.table for each in AGGREGATIONS if "minute" in each.keys}


@dataclass(frozen=True, slots=True)
class DayCount:
    """The rows of a day in log and ledger, and the rows counted in its figures."""

    day: date
    requests: int = 0
    counted_requests: int = 0
    calls: int = 0
    counted_calls: int = 0
    forgotten: int = 0

    @property
    def rows(self) -> tuple[int, int, int]:
        """What changes if rows, or the users of rows, are deleted."""
        return self.requests, self.calls, self.forgotten

    @property
    def missing(self) -> int:
        """How many rows are not counted."""
        requests, calls = self.requests - self.counted_requests, self.calls - self.counted_calls
        return max(requests, 0) + max(calls, 0)

    @property
    def is_purged(self) -> bool:
        """Whether rows, or the users of rows, that were counted have been deleted."""
        return (
            bool(self.forgotten)
            or self.requests < self.counted_requests
            or self.calls < self.counted_calls
        )


def count_days(first: date, last: date) -> list[DayCount]:
    """The counts of each day with rows, oldest first, in the database that is written to."""
    log = aggregations.of_days(RequestLog, first, last)
    ledger = aggregations.of_days(ModelCall, first, last)
    with open_snapshot(DEFAULT_DB_ALIAS) as snapshot:
        days = Figures(snapshot).by_day(first, last)
        calls: Counter[date] = Counter()
        for row in Figures(snapshot).ledger(first, last):
            calls[row["day"]] += row["calls"]
        logged = dict(log.values_list("created_date").annotate(rows=Count("pk")))
        of_nobody = log.filter(request_id=FORGOTTEN_COLUMNS["request_id"])
        forgotten = dict(of_nobody.values_list("created_date").annotate(rows=Count("pk")))
        called = dict(ledger.values_list(LocalDate("created_at")).annotate(rows=Count("pk")))
    counts = (
        DayCount(
            day=row["date"],
            requests=logged.get(row["date"], 0),
            counted_requests=row["total_requests"],
            calls=called.get(row["date"], 0),
            counted_calls=calls[row["date"]],
            forgotten=forgotten.get(row["date"], 0),
        )
        for row in days
    )
    return [count for count in counts if count.requests or count.calls]


def rebuild_days(first: date, last: date) -> Iterator[DayCount]:
    """Recount each day; yields its previous counts.

    Days with deleted rows keep their figures. Readers see either the old or the new figures; rows
    written meanwhile stay pending. Must be followed by `rebuild_users()`.
    """
    for count in count_days(first, last):
        yield _rebuild_day(count.day, TABLES_BY_DAY)


def rebuild_users() -> None:
    """Recompute the totals of all users from their days."""
    with transaction.atomic():
        _lock()
        User.objects.all().delete()
        columns = ["user_id", *aggregations.USERS.columns]
        names = ", ".join(map(connection.ops.quote_name, columns))
        select = (
            DayUser.objects.values("user_id")
            .annotate(
                total=Sum("requests"),
                total_hits=Sum("hits"),
                first=Min("first_request"),
                last=Max("last_request"),
            )
            .order_by("user_id")
        )
        sql, params = select.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {User._meta.db_table} ({names}) {sql}", params)


def fill_minutes(day: date) -> None:
    """Fill the tables of minutes for a day that an older release rolled up, unless rows of it have
    been deleted."""
    is_filled = all(has_all_minutes(kind, day) for kind in (REQUESTS, CATEGORIES, ERRORS))
    if is_filled or any(count.is_purged for count in count_days(day, day)):
        return
    _rebuild_day(day, TABLES_BY_MINUTE)


def _rebuild_day(day: date, tables: Collection[type[Model]]) -> DayCount:
    """Recount a day, unless rows of it have been deleted; returns its previous counts."""
    while (before := _try_to_rebuild(day, tables)) is None:
        pass
    return before


def _try_to_rebuild(day: date, tables: Collection[type[Model]]) -> DayCount | None:
    """Recount a day as above; None if rows became visible, or were purged, meanwhile."""
    with transaction.atomic():
        upto = _lock()
        add_all_late_rows()
        before = _count_rolled(day, upto)
        if before.is_purged:
            return before
        for table in tables:
            table._default_manager.filter(day=day).delete()
        for source in aggregations.SOURCES:
            add_up(_rolled(source, day, upto), into=tables)
        # Late rows may have been counted twice.
        if add_all_late_rows() or _count_rolled(day, upto).rows != before.rows:
            transaction.set_rollback(True)
            return None
    return before


def _count_rolled(day: date, upto: Mapping[str, int]) -> DayCount:
    """The counts of a day, of the rows that are rolled up."""
    log, calls = (_rolled(source, day, upto) for source in aggregations.SOURCES)
    counted = {
        **Day.objects.filter(day=day).aggregate(requests=Sum("requests", default=0)),
        **DayLedger.objects.filter(day=day).aggregate(calls=Sum("calls", default=0)),
    }
    return DayCount(
        day=day,
        requests=log.count(),
        counted_requests=counted["requests"],
        calls=calls.count(),
        counted_calls=counted["calls"],
        forgotten=log.filter(request_id=FORGOTTEN_COLUMNS["request_id"]).count(),
    )


def _rolled(source: type[Model], day: date, upto: Mapping[str, int]) -> QuerySet[Any]:
    rows = aggregations.of_days(source, day, day)
    return rows.filter(pk__lte=upto.get(source._meta.db_table, 0))


def _lock() -> dict[str, int]:
    """Lock out all roll-ups; returns the last id counted of each table."""
    return dict(RollUp.objects.select_for_update().values_list("table", "upto"))
