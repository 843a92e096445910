"""Figures by app: roll-ups and pending rows combined.

Only apps with keys have rows of their own, and staff's trials have calls. The difference to all
belongs to `anonymous`: so an installation without apps has no overhead, and rows from before there
were apps are included. Costs are those of the ledger: a failed call may have been billed, too.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Sum

from classification.models import STAFF_ID
from clients.models import ANONYMOUS_ID
from stats import aggregations
from stats.aggregations import REQUEST_SUMS
from stats.derived_figures import added_up, derived
from stats.merging import Row
from stats.models import Day, DayAppUser
from stats.snapshot import SnapshotFigures

Sums = dict[str, Any]


class AppFigures(SnapshotFigures):
    """Figures of each app from one snapshot. Money is in yuan; rates are in percent."""

    def apps(self, first: date, last: date) -> list[Row]:
        """The figures of each app with requests or costs from `first` to `last`, most requests
        first."""
        merged = self._app_rows(first, last, ["app_id"])
        rest = _minus(added_up(self._day_rows(first, last)), merged)
        rows = [{"app_id": ANONYMOUS_ID, **rest}]
        rows += (row for row in merged if row["app_id"] != STAFF_ID)
        rows.sort(key=lambda row: (-row["requests"], row["app_id"]))
        return [{"app_id": row["app_id"], **_derived(row)} for row in rows if _has_any(row)]

    def app_days(self, app_id: int, first: date, last: date) -> list[Row]:
        """The figures of an app on each day with requests or costs, oldest first."""
        rows = self._rows_of(app_id, first, last)
        return [{"date": row["day"], **_derived(row)} for row in rows if _has_any(row)]

    def app_sums(self, app_id: int, first: date, last: date) -> Row:
        """The figures of an app from `first` to `last`, added up."""
        return _derived(added_up(self._rows_of(app_id, first, last)))

    def app_range(self, app_id: int, first: date, last: date) -> Row:
        """The figures of an app from `first` to `last` in the format of RangeFigures.of(), by day;
        None by category."""
        rows = {row["day"]: row for row in self._rows_of(app_id, first, last)}
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        nothing = added_up(())
        return {
            "start": _midnight(first),
            "end": _midnight(last + timedelta(days=1)),
            "step": "day",
            "sums": _derived(added_up(rows.values())),
            "points": [
                {"start": _midnight(day), **_derived(rows.get(day, nothing))} for day in days
            ],
            "categories": None,
            "errors": self.app_errors(app_id, first, last),
        }

    def app_errors(self, app_id: int, first: date, last: date) -> list[Row]:
        """An app's failures by code, most frequent first."""
        counts: dict[str, int] = {}
        if app_id == ANONYMOUS_ID:
            _count(counts, self.rows_between(aggregations.ERRORS, first, last))
            _count(counts, self.rows_between(aggregations.APP_ERRORS, first, last), -1)
        else:
            rows = self.rows_between(aggregations.APP_ERRORS, first, last)
            _count(counts, (row for row in rows if row["app_id"] == app_id))
        found = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [{"error_code": code, "count": count} for code, count in found if count]

    def app_user_count(self, app_id: int, day: date) -> int:
        """How many users of an app with keys sent requests on a day."""
        pending = {
            row["user_id"]
            for row in self.snapshot.pending_between(aggregations.APP_USERS, day, day)
            if row["app_id"] == app_id
        }
        rolled = DayAppUser.objects.filter(app_id=app_id, day=day)
        return rolled.count() + len(pending) - rolled.filter(user_id__in=pending).count()

    def app_users(self, app_id: int, first: date, last: date, limit: int) -> list[Row]:
        """The `limit` users of an app with keys with the most requests from `first` to `last`."""
        pending = [
            row
            for row in self.snapshot.pending_between(aggregations.APP_USERS, first, last)
            if row["app_id"] == app_id
        ]
        rolled = (
            DayAppUser.objects.filter(app_id=app_id, day__range=(first, last))
            .values("user_id")
            .annotate(requests=Sum("requests"), hits=Sum("hits"))
        )
        most_pending = sum(row["requests"] for row in pending)
        ordered = list(rolled.order_by("-requests", "user_id")[: limit + most_pending])
        known = {row["user_id"] for row in ordered}
        others = {row["user_id"] for row in pending} - known
        ordered += rolled.filter(user_id__in=others)
        found = aggregations.APP_USERS.merge([*ordered, *pending], ["user_id"])
        found.sort(key=lambda row: (-row["requests"], row["user_id"]))
        return [
            {
                "user_id": row["user_id"],
                "request_count": row["requests"],
                "cache_hits": row["hits"],
                "cache_hit_rate": 100 * row["hits"] / row["requests"],
            }
            for row in found[:limit]
        ]

    def _rows_of(self, app_id: int, first: date, last: date) -> list[Row]:
        """The sums of an app by day, oldest first."""
        if app_id == ANONYMOUS_ID:
            with_key = {row["day"]: row for row in self._app_rows(first, last, ["day"])}
            nothing = added_up(())
            rows = [
                {"day": total["day"]} | _minus(total, [with_key.get(total["day"], nothing)])
                for total in aggregations.DAYS.merge(self._day_rows(first, last))
            ]
        else:
            of_apps = self._app_rows(first, last, ["day", "app_id"])
            rows = [row for row in of_apps if row["app_id"] == app_id]
        return sorted(rows, key=lambda row: row["day"])

    def _app_rows(self, first: date, last: date, keys: list[str]) -> list[Row]:
        """The sums of apps with keys, and of staff's trials, by these keys."""
        rows = self.rows_between(aggregations.APP_DAYS, first, last)
        rows += (
            {"day": row["day"], "app_id": row["app_id"], "cost": row["billed_cost"]}
            for row in self.rows_between(aggregations.APP_LEDGER, first, last)
        )
        return aggregations.DAYS.merge(map(_with_zeros, rows), keys)

    def _day_rows(self, first: date, last: date) -> list[Row]:
        """Everybody's sums by day; the ledger's part comes as rows that have only costs."""
        rows = list(Day.objects.filter(day__range=(first, last)).values("day", *REQUEST_SUMS))
        for aggregation in (aggregations.DAYS, aggregations.SPENT_DAYS):
            pending = self.snapshot.pending_between(aggregation, first, last)
            rows += map(_with_zeros, pending)
        return rows


def _with_zeros(row: Row) -> Row:
    """The row, with 0 for the sums that it lacks."""
    return dict.fromkeys(REQUEST_SUMS, 0) | row


def _has_any(sums: Mapping[str, Any]) -> bool:
    """Whether there are requests or costs; calls may end after midnight."""
    return bool(sums["requests"] or sums["cost"])


def _minus(total: Mapping[str, Any], parts: Iterable[Mapping[str, Any]]) -> Sums:
    taken = added_up(parts)
    return {name: total[name] - taken[name] for name in REQUEST_SUMS}


def _count(counts: dict[str, int], rows: Iterable[Mapping[str, Any]], sign: int = 1) -> None:
    for row in rows:
        code = row["error_code"]
        counts[code] = counts.get(code, 0) + sign * row["requests"]


def _derived(sums: Mapping[str, Any]) -> Row:
    return derived(sums) | {"new_photos": sums["requests"] - sums["hits"] - sums["failures"]}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)
