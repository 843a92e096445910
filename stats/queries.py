"""The figures that staff read: roll-ups and tail together.

Every function takes the tail that belongs to the roll-ups as they are; see `tail.exactly`.
Money is in yuan, as Decimal; rates and shares are percent. Those of users are in users.py.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from stats import percentiles, tallies
from stats.merging import between, merged
from stats.models import (
    CacheTotals,
    Day,
    DayCategory,
    DayDuration,
    DayError,
    DayLedger,
    Figures,
    Minute,
)
from stats.tail import Tail

ADDITIVE = [field.name for field in Figures._meta.fields]


def today(tail: Tail) -> dict[str, Any]:
    """The figures of the local day so far, and what its ledger leaves open."""
    day = timezone.localdate()
    rolled = Day.objects.filter(day=day).first() or Day(day=day)
    return _day_figures(tail, rolled) | perhaps_billed(tail, day)


def perhaps_billed(tail: Tail, day: date) -> dict[str, Any]:
    """What the ledger of a day leaves open."""
    rows = ledger(tail, day, day)
    return {
        "perhaps_billed_calls": sum(row["perhaps_billed_calls"] for row in rows),
        "perhaps_billed_cost": sum(row["perhaps_billed_cost"] for row in rows),
    }


def same_hours_yesterday(tail: Tail) -> dict[str, Any]:
    """The sums of yesterday up to this minute of the wall clock."""
    now = timezone.localtime().replace(second=0, microsecond=0) - timedelta(days=1)
    day, minute = now.date(), f"{now:%H:%M}"
    rolled = Minute.objects.filter(day=day, minute__lt=minute).aggregate(
        **{name: Sum(name, default=0) for name in ADDITIVE}
    )
    # Rows of yesterday are in the tail around midnight only, and nothing is read for them else.
    by_minute = (tallies.MINUTES, tallies.SPENT_MINUTES) if day in _days_of(tail) else ()
    later = [
        row
        for tally in by_minute
        for row in tail.rows(tally)
        if row["day"] == day and row["minute"] < minute
    ]
    return _figures(_added_up([rolled, *later]))


def span(tail: Tail, start: datetime, end: datetime) -> dict[str, Any]:
    """The sums of the requests from `start` to `end`, two local times of whole minutes."""
    total: list[Mapping[str, Any]] = []
    for number in range((end.date() - start.date()).days + 1):
        day = start.date() + timedelta(days=number)
        first = f"{start:%H:%M}" if day == start.date() else ""
        last = f"{end:%H:%M}" if day == end.date() else "24:00"
        rolled = Minute.objects.filter(day=day, minute__gte=first, minute__lt=last)
        total.append(rolled.aggregate(**{name: Sum(name, default=0) for name in ADDITIVE}))
        total += [
            row
            for row in tail.rows(tallies.MINUTES)
            if row["day"] == day and first <= row["minute"] < last
        ]
    return _added_up(total)


def trend(tail: Tail, days: int) -> list[dict[str, Any]]:
    """The figures of each of the last `days` days, today included, oldest first."""
    last = timezone.localdate()
    return by_day(tail, last - timedelta(days=days - 1), last)


def by_day(tail: Tail, first: date, last: date) -> list[dict[str, Any]]:
    """The figures of each day from `first` to `last`, oldest first."""
    found = {row.day: row for row in Day.objects.filter(day__range=(first, last))}
    in_tail = _days_of(tail)
    rows = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        rolled = found.get(day) or Day(day=day)
        figures = (
            _day_figures(tail, rolled) | {"p95_processing_time_ms": _p95(tail, day)}
            if day in in_tail
            else _of_rolled(rolled)
        )
        rows.append({"date": day, **figures})
    return rows


def categories(tail: Tail, first: date = date.min, last: date = date.max) -> list[dict[str, Any]]:
    """The answers by category, largest first; what stood in as `other` does not count."""
    rolled = (
        DayCategory.objects.filter(day__range=(first, last))
        .values("category")
        .annotate(answers=Sum("answers"), total_confidence=Sum("total_confidence"))
    )
    found = merged(rolled, between(tail.rows(tallies.CATEGORIES), first, last), "category")
    total = sum(row["answers"] for row in found)
    return [
        {
            "category": row["category"],
            "count": row["answers"],
            "percentage": 100 * row["answers"] / total,
            "avg_confidence": row["total_confidence"] / row["answers"],
        }
        for row in sorted(found, key=lambda row: (-row["answers"], row["category"]))
    ]


def errors(tail: Tail, days: int) -> list[dict[str, Any]]:
    """The failures of the last `days` days by code, most frequent first."""
    last = timezone.localdate()
    first = last - timedelta(days=days - 1)
    rolled = (
        DayError.objects.filter(day__range=(first, last))
        .values("error_code")
        .annotate(requests=Sum("requests"))
    )
    found = merged(rolled, between(tail.rows(tallies.ERRORS), first, last), "error_code")
    return [
        {"error_code": row["error_code"], "count": row["requests"]}
        for row in sorted(found, key=lambda row: (-row["requests"], row["error_code"]))
    ]


def efficiency(tail: Tail, totals: CacheTotals) -> dict[str, Any]:
    """How much the cache has saved since it began; an entry's own request is no hit."""
    saved = Day.objects.aggregate(saved=Sum("saved", default=0))["saved"]
    return {
        "total_cached_images": totals.entries,
        "total_hits": totals.hits,
        "times_saved": totals.hits - totals.entries,
        "cost_saved": saved + sum(row["saved"] for row in tail.rows(tallies.DAYS)),
        "avg_hit_per_image": totals.hits / totals.entries if totals.entries else 0,
        "max_hits": totals.most_hits,
        "corrected_images": totals.corrected,
    }


def ledger(tail: Tail, first: date, last: date) -> list[dict[str, Any]]:
    """The calls by day and model, from `first` to `last`, oldest first."""
    rolled = DayLedger.objects.filter(day__range=(first, last)).values(
        *[field.name for field in DayLedger._meta.fields]
    )
    rows = merged(rolled, between(tail.rows(tallies.LEDGER), first, last), "day", "model")
    return sorted(rows, key=lambda row: (row["day"], row["model"]))


def _days(tail: Tail) -> list[dict[str, Any]]:
    return [*tail.rows(tallies.DAYS), *tail.rows(tallies.SPENT_DAYS)]


def _days_of(tail: Tail) -> set[date]:
    return {row["day"] for row in _days(tail)}


def _day_figures(tail: Tail, rolled: Day) -> dict[str, Any]:
    """The figures of a day that may have rows in the tail."""
    day = rolled.day
    later = [row for row in _days(tail) if row["day"] == day]
    return _figures(_added_up([{name: getattr(rolled, name) for name in ADDITIVE}, *later])) | {
        "unique_users": rolled.unique_users + _newcomers(tail, tallies.DAY_USERS, day),
        "unique_ips": rolled.unique_ips + _newcomers(tail, tallies.ADDRESSES, day),
    }


def _of_rolled(row: Day) -> dict[str, Any]:
    return _figures({name: getattr(row, name) for name in ADDITIVE}) | {
        "unique_users": row.unique_users,
        "unique_ips": row.unique_ips,
        "p95_processing_time_ms": row.p95_time_ms,
    }


def _figures(sums: Mapping[str, Any]) -> dict[str, Any]:
    total, hits, timed = sums["requests"], sums["hits"], sums["timed_requests"]
    return {
        "total_requests": total,
        "cache_hits": hits,
        "cache_misses": total - hits,
        "cache_hit_rate": 100 * hits / total if total else 0,
        "avg_processing_time_ms": sums["total_time_ms"] / timed if timed else 0,
        "estimated_cost": sums["cost"],
        "cost_saved": sums["saved"],
        "failed_requests": sums["failures"],
    }


def _newcomers(tail: Tail, tally: tallies.Tally, day: date) -> int:
    """How many of a day's users, or addresses, are in the tail only."""
    if day not in _days_of(tail):
        return 0
    column = tally.keys[-1]
    rows = tally.select(tail.source(tally.source).filter(created_date=day))
    asked = set(rows.values_list(column, flat=True))
    # Not by a subquery: MariaDB remembers the answers of one for each row by the collation of
    # the log's own column, in which "a" is "A", and reads the whole day for one for all rows.
    known = tally.table._default_manager.filter(**{"day": day, f"{column}__in": asked})
    return len(asked) - known.count()


def _p95(tail: Tail, day: date) -> int:
    counts = Counter(dict(DayDuration.objects.filter(day=day).values_list("time_ms", "requests")))
    for row in tail.rows(tallies.DURATIONS):
        if row["day"] == day:
            counts[row["time_ms"]] += row["requests"]
    return percentiles.percentile(95, counts.items())


def _added_up(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: sum(row.get(name, 0) for row in rows) for name in ADDITIVE}
