"""The cost of model calls by day, model and app, and the users and addresses that cause most of
it."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from clients.models import ANONYMOUS_ID
from stats import aggregations
from stats.aggregations import LEDGER_SUMS
from stats.merging import Aggregation, Row
from stats.snapshot import SnapshotFigures

# The number of past days from which the cost per day is projected.
RECENT_DAYS = 7


class BillFigures(SnapshotFigures):
    """Figures of the ledger from one snapshot. Money is in yuan."""

    def bill(self, first: date, last: date) -> list[Row]:
        """The calls by day, model and app, oldest first."""
        of_apps = self.rows_between(aggregations.APP_LEDGER, first, last)
        taken = {
            (row["day"], row["model"]): row
            for row in aggregations.APP_LEDGER.merge(of_apps, ["day", "model"])
        }
        everybodys = aggregations.LEDGER.merge(self.rows_between(aggregations.LEDGER, first, last))
        rest = [
            row | {"app_id": ANONYMOUS_ID} | _minus(row, taken.get((row["day"], row["model"]), {}))
            for row in everybodys
        ]
        rows = [*aggregations.APP_LEDGER.merge(of_apps), *(row for row in rest if row["calls"])]
        return sorted(rows, key=lambda row: (row["day"], row["model"], row["app_id"]))

    def month_end(self, today: date) -> Decimal | None:
        """The projected cost of the month of `today`, if the rest of it is like the last days; None
        if there are no past days."""
        spent = self._spent(today.replace(day=1), today)
        recent = self._spent(today - timedelta(days=RECENT_DAYS), today - timedelta(days=1))
        days = {row["day"] for row in recent}
        if not days:
            return None
        per_day = _total(recent) / Decimal((today - min(days)).days)
        return _total(spent) + per_day * _days_left(today)

    def spenders(self, aggregation: Aggregation, day: date, limit: int) -> list[Row]:
        """The users, or addresses, of a day with the highest cost, with their new photos and
        yuan."""
        name = aggregation.keys[-1]
        pending = self.snapshot.pending_between(aggregation, day, day)
        rolled = aggregation.table._default_manager.filter(day=day).values(
            *aggregation.keys, *aggregation.columns
        )
        most = list(rolled.filter(new_photos__gt=0).order_by("-cost", "-new_photos", name)[:limit])
        known = {row[name] for row in most}
        asked = {row[name] for row in pending} - known
        found = aggregation.merge([*most, *rolled.filter(**{f"{name}__in": asked}), *pending])
        found.sort(key=lambda row: (-row["cost"], -row["new_photos"], row[name]))
        return [
            {"name": row[name], "new_photos": row["new_photos"], "cost": row["cost"]}
            for row in found[:limit]
            if row["new_photos"] or row["cost"]
        ]

    def _spent(self, first: date, last: date) -> list[Row]:
        return self.rows_between(aggregations.LEDGER, first, last)


def added_up(rows: Iterable[Mapping[str, Any]]) -> Row:
    """The sums of the ledger over all rows."""
    rows = list(rows)
    return {name: sum(row[name] for row in rows) for name in LEDGER_SUMS}


def _minus(total: Mapping[str, Any], part: Mapping[str, Any]) -> Row:
    return {name: total[name] - part.get(name, 0) for name in LEDGER_SUMS}


def _total(rows: Iterable[Row]) -> Decimal:
    return sum((row["billed_cost"] for row in rows), Decimal(0))


def _days_left(today: date) -> Decimal:
    """The days left in the month, including the rest of today."""
    now = timezone.localtime()
    tomorrow = datetime.combine(today + timedelta(days=1), datetime.min.time(), now.tzinfo)
    rest_of_today = Decimal((tomorrow - now).total_seconds()) / 86_400
    next_month = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    return Decimal((next_month - today).days - 1) + rest_of_today
