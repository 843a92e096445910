"""The statistics: roll-ups and pending rows combined.

Money is in yuan, as Decimal; rates and shares are in percent.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from django.db import connections
from django.db.models import QuerySet, Sum
from django.utils import timezone

from stats import aggregations
from stats.aggregations import REQUEST_SUMS
from stats.bill.figures import BillFigures
from stats.by_app.figures import AppFigures
from stats.derived_figures import added_up, category_figures, derived, error_figures
from stats.merging import Aggregation, Row
from stats.models import CacheTotals, Day, DayCategory, DayDuration, DayError, DayLedger
from stats.ranges import RangeFigures, TimeRange
from stats.rollup.summary_tables import percentile
from stats.snapshot import current_snapshot
from stats.users import UserFigures


@contextmanager
def current_figures() -> Iterator["Figures"]:
    """The current figures, all from one consistent snapshot.

    Raises ServiceError(statistics_behind) if too many rows have to be rolled up first.
    """
    with current_snapshot() as snapshot:
        yield Figures(snapshot)


class Figures(RangeFigures, UserFigures, AppFigures, BillFigures):
    """All figures of one snapshot: by day, range, user and app, and of the bill."""

    def today(self) -> Row:
        """The figures of the current local day, including possibly billed calls."""
        day = timezone.localdate()
        rolled = Day.objects.filter(day=day).first() or Day(day=day)
        return self._of_day(rolled) | self.uncertain_costs(day)

    def uncertain_costs(self, day: date, app_id: int | None = None) -> Row:
        """How much of a day's cost, or of one app's, is estimated, and the calls that may be on the
        provider's bill."""
        if app_id is None:
            rows = self.ledger(day, day)
        else:
            rows = [row for row in self.bill(day, day) if row["app_id"] == app_id]
        return {
            "estimated_billed_cost": sum(row["estimated_billed_cost"] for row in rows),
            "perhaps_billed_calls": sum(row["perhaps_billed_calls"] for row in rows),
            "perhaps_billed_cost": sum(row["perhaps_billed_cost"] for row in rows),
        }

    def same_hours_yesterday(self) -> Row:
        """Yesterday's figures up to the current time of day."""
        end = timezone.localtime().replace(second=0, microsecond=0, tzinfo=None) - timedelta(days=1)
        return derived(self.sums_of(TimeRange(end.replace(hour=0, minute=0), end)))

    def trend(self, days: int) -> list[Row]:
        """The figures of each of the last `days` days, today included, oldest first."""
        last = timezone.localdate()
        return self.by_day(last - timedelta(days=days - 1), last)

    def by_day(self, first: date, last: date) -> list[Row]:
        """The figures of each day from `first` to `last`, oldest first."""
        found = {row.day: row for row in Day.objects.filter(day__range=(first, last))}
        pending = self._pending_days()
        rows = []
        for day in _days(first, last):
            rolled = found.get(day) or Day(day=day)
            figures = (
                self._of_day(rolled) | {"p95_processing_time_ms": self._p95(day)}
                if day in pending
                else _of_rolled(rolled)
            )
            rows.append({"date": day, **figures})
        return rows

    def categories(self, first: date = date.min, last: date = date.max) -> list[Row]:
        """The answers by category, most frequent first; fallback answers are not counted."""
        rolled = DayCategory.objects.values("category").annotate(
            answers=Sum("answers"), total_confidence=Sum("total_confidence")
        )
        found = self._merged(aggregations.CATEGORIES, rolled, first, last, "category")
        return category_figures(found)

    def errors(self, days: int) -> list[Row]:
        """The failures of the last `days` days by code, most frequent first."""
        last = timezone.localdate()
        first = last - timedelta(days=days - 1)
        rolled = DayError.objects.values("error_code").annotate(requests=Sum("requests"))
        found = self._merged(aggregations.ERRORS, rolled, first, last, "error_code")
        return error_figures(found)

    def cache_efficiency(self, totals: CacheTotals) -> Row:
        """What the cache has saved in total; the request that created an entry is not a hit."""
        saved = Day.objects.aggregate(saved=Sum("saved", default=0))["saved"]
        pending = self.snapshot.pending(aggregations.DAYS)
        return {
            "total_cached_images": totals.entries,
            "total_hits": totals.hits,
            "times_saved": totals.hits - totals.entries,
            "cost_saved": saved + sum(row["saved"] for row in pending),
            "avg_hit_per_image": totals.hits / totals.entries if totals.entries else 0,
            "max_hits": totals.most_hits,
            "corrected_images": totals.corrected,
        }

    def ledger(self, first: date, last: date) -> list[Row]:
        """The calls by day and model, from `first` to `last`, oldest first."""
        keys = aggregations.LEDGER.keys
        rolled = DayLedger.objects.values(*keys, *aggregations.LEDGER.columns)
        rows = self._merged(aggregations.LEDGER, rolled, first, last, *keys)
        return sorted(rows, key=lambda row: (row["day"], row["model"]))

    def _merged(
        self,
        aggregation: Aggregation,
        rolled: "QuerySet[Any, Any]",
        first: date,
        last: date,
        *keys: str,
    ) -> list[Row]:
        """The rolled rows from `first` to `last` with the pending ones, by `keys`."""
        pending = self.snapshot.pending_between(aggregation, first, last)
        return aggregation.merge([*rolled.filter(day__range=(first, last)), *pending], keys)

    def _pending_days(self) -> set[date]:
        return {row["day"] for row in self._pending_sums()}

    def _pending_sums(self) -> list[Row]:
        """The pending rows by day: sums of the log, and costs of the ledger."""
        pending = self.snapshot.pending
        return [*pending(aggregations.DAYS), *pending(aggregations.SPENT_DAYS)]

    def _of_day(self, rolled: Day) -> Row:
        """The figures of a day that may have pending rows."""
        day = rolled.day
        pending = [row for row in self._pending_sums() if row["day"] == day]
        sums = {name: getattr(rolled, name) for name in REQUEST_SUMS}
        return derived(added_up([sums, *pending])) | {
            "unique_users": rolled.unique_users + self._newcomers(aggregations.DAY_USERS, day),
            "unique_ips": rolled.unique_ips + self._newcomers(aggregations.ADDRESSES, day),
        }

    def _newcomers(self, aggregation: Aggregation, day: date) -> int:
        """How many users, or addresses, of a day occur in pending rows only."""
        if day not in self._pending_days():
            return 0
        column = aggregation.keys[-1]
        pending = self.snapshot.pending_rows(aggregation.source).filter(created_date=day)
        asked, params = (
            aggregation.select(pending).values("day", column).order_by().query.sql_with_params()
        )
        # Not a subquery: MariaDB caches correlated ones by the collation of the log's column, in
        # which "a" equals "A", and reads the whole day for uncorrelated ones.
        with connections[pending.db].cursor() as cursor:
            cursor.execute(
                f"SELECT COUNT(*) FROM ({asked}) AS asked "  # noqa: S608
                f"LEFT JOIN {aggregation.table._meta.db_table} AS known "
                f"ON known.day = asked.day AND known.{column} = asked.{column} "
                "WHERE known.day IS NULL",
                params,
            )
            newcomers: int = cursor.fetchone()[0]
        return newcomers

    def _p95(self, day: date) -> int:
        rolled = DayDuration.objects.filter(day=day).values_list("time_ms", "requests")
        counts = Counter(dict(rolled))
        for row in self.snapshot.pending(aggregations.DURATIONS):
            if row["day"] == day:
                counts[row["time_ms"]] += row["requests"]
        return percentile(95, counts.items())


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _of_rolled(row: Day) -> Row:
    return derived({name: getattr(row, name) for name in REQUEST_SUMS}) | {
        "unique_users": row.unique_users,
        "unique_ips": row.unique_ips,
        "p95_processing_time_ms": row.p95_time_ms,
    }
