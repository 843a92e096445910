"""Figures of any range of whole minutes: from the days within it, and the minutes at both ends."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Any, Literal, NamedTuple

from django.db.models import Case, Q, QuerySet, Sum, When
from django.db.models.functions import Substr
from django.utils import timezone

from classification.models import RequestLog
from stats import aggregations
from stats.derived_figures import added_up, category_figures, derived, error_figures
from stats.merging import Aggregation, Row
from stats.snapshot import Snapshot, SnapshotFigures

Step = Literal["minute", "hour", "day"]
# How many characters of a minute such as 14:30 identify a point of a day.
MINUTE_PREFIX: dict[Step, int] = {"minute": 5, "hour": 2, "day": 0}
STEPS = tuple(MINUTE_PREFIX)
MINUTES: dict[Step, int] = {"minute": 1, "hour": 60, "day": 24 * 60}


class MinutesUnavailable(ValueError):
    """Minutes of a day were requested that have been purged with the log."""


# Named ranges: hours up to now, or days including today.
HOURS = {"1h": 1, "24h": 24}
DAYS = {"today": 1, "7d": 7, "30d": 30, "90d": 90}
NAMES = (*HOURS, *DAYS)


class PartOfDay(NamedTuple):
    """The minutes of a day from `first` up to, but not including, `last`."""

    day: date
    first: str = "00:00"
    last: str = "24:00"


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A range from `start` up to, but not including, `end`: naive local times, to the minute."""

    start: datetime
    end: datetime

    @classmethod
    def named(cls, name: str) -> "TimeRange":
        """The range with one of NAMES, up to the end of the current minute."""
        now = timezone.localtime().replace(second=0, microsecond=0, tzinfo=None)
        end = now + timedelta(minutes=1)
        if name in HOURS:
            return cls(end - timedelta(hours=HOURS[name]), end)
        return cls(now.replace(hour=0, minute=0) - timedelta(days=DAYS[name] - 1), end)

    @property
    def step(self) -> Step:
        """The step for a chart of this range."""
        length = self.end - self.start
        if length <= timedelta(hours=3):
            return "minute"
        return "hour" if length <= timedelta(days=8) else "day"

    @property
    def whole_days(self) -> tuple[date, date]:
        """The first and the last whole day; the last is before the first if there is none."""
        first = self.start.date() + timedelta(days=self.start.time() > time.min)
        return first, self.end.date() - timedelta(days=1)

    @property
    def touched_days(self) -> tuple[date, date]:
        """The first and the last day that overlap the range."""
        return self.start.date(), (self.end - timedelta(minutes=1)).date()

    @property
    def parts(self) -> Iterator[PartOfDay]:
        """The parts of days that are not completely in the range."""
        first, last = self.whole_days
        return (part for part in self.by_day if not first <= part.day <= last)

    @property
    def by_day(self) -> Iterator[PartOfDay]:
        """The part of each day that is in the range, oldest first."""
        day, last = self.touched_days
        while day <= last:
            is_first, is_last = day == self.start.date(), day == self.end.date()
            yield PartOfDay(
                day,
                f"{self.start:%H:%M}" if is_first else "00:00",
                f"{self.end:%H:%M}" if is_last else "24:00",
            )
            day += timedelta(days=1)

    def has(self, row: Row) -> bool:
        """Whether a row's minute is in the range."""
        at = f"{row['day']} {row['minute']}"
        return f"{self.start:%Y-%m-%d %H:%M}" <= at < f"{self.end:%Y-%m-%d %H:%M}"

    def count(self, step: Step) -> int:
        """The number of points, or one less."""
        return (self.end - self.start) // timedelta(minutes=MINUTES[step])

    def starts(self, step: Step) -> Iterator[datetime]:
        """The start of each day, hour or minute that overlaps the range."""
        at = self.start if step == "minute" else self.start.replace(minute=0)
        at = at.replace(hour=0) if step == "day" else at
        while at < self.end:
            yield at
            at += timedelta(minutes=MINUTES[step])


class Kind(NamedTuple):
    """Aggregations of the same figures by day and by minute."""

    by_day: Sequence[Aggregation]
    by_minute: Sequence[Aggregation]


REQUESTS = Kind(
    (aggregations.DAYS, aggregations.SPENT_DAYS),
    (aggregations.MINUTES, aggregations.SPENT_MINUTES),
)
CATEGORIES = Kind((aggregations.CATEGORIES,), (aggregations.MINUTE_CATEGORIES,))
ERRORS = Kind((aggregations.ERRORS,), (aggregations.MINUTE_ERRORS,))


class RangeFigures(SnapshotFigures):
    """Figures of a range from one snapshot. Its methods raise MinutesUnavailable if the range
    starts or ends within a purged day."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        # Kept, as several figures of a snapshot need them.
        self._counted: dict[Kind, dict[date, int]] = defaultdict(dict)
        self._is_last: dict[datetime, bool] = {}

    def of(self, wanted: TimeRange, step: Step) -> Row:
        """All figures of a range."""
        rows = list(self._requests(wanted, step))
        return {
            "start": wanted.start,
            "end": wanted.end,
            "step": step,
            "sums": derived(added_up(rows)),
            "points": _points(rows, wanted, step),
            "categories": self.categories_of(wanted),
            "errors": self.errors_of(wanted),
        }

    def sums_of(self, wanted: TimeRange) -> Row:
        """The sums of a range's requests, named as in RequestSums."""
        return added_up(self._rows(REQUESTS, wanted, ["day"]))

    def points_of(self, wanted: TimeRange, step: Step) -> list[Row]:
        """The figures of each day, hour or minute of a range with its `start`, oldest first."""
        return _points(self._requests(wanted, step), wanted, step)

    def categories_of(self, wanted: TimeRange) -> list[Row]:
        """The answers of the range by category, most frequent first."""
        rows = self._rows(CATEGORIES, wanted, ["category"])
        return category_figures(aggregations.CATEGORIES.merge(rows, ["category"]))

    def errors_of(self, wanted: TimeRange) -> list[Row]:
        """The failures of the range by code, most frequent first."""
        rows = self._rows(ERRORS, wanted, ["error_code"])
        return error_figures(aggregations.ERRORS.merge(rows, ["error_code"]))

    def _requests(self, wanted: TimeRange, step: Step) -> Iterator[Row]:
        """Rows that add up to the requests of each point of the range."""
        letters = MINUTE_PREFIX[step]
        if not letters:
            return self._rows(REQUESTS, wanted, ["day"])
        by_point = self._by_minute(REQUESTS, self._rounded_up(wanted).by_day, [], letters)
        return chain(by_point, self._pending(REQUESTS, wanted))

    def _rows(self, kind: Kind, wanted: TimeRange, keys: Sequence[str]) -> Iterator[Row]:
        """Rows by these keys that add up to the figures of the range."""
        rounded = self._rounded_up(wanted)
        first, last = rounded.whole_days
        if first <= last:
            table = kind.by_day[0].table._default_manager
            yield from _summed(table.filter(day__range=(first, last)), kind.by_day[0], keys)
        yield from self._by_minute(kind, rounded.parts, keys)
        yield from self._pending(kind, wanted)

    def _rounded_up(self, wanted: TimeRange) -> TimeRange:
        """The same range, up to midnight if nothing is later on its last day, which thus is
        whole."""
        end = wanted.end
        if end <= timezone.localtime().replace(tzinfo=None):
            return wanted
        midnight = datetime.combine(wanted.touched_days[1], time.min) + timedelta(days=1)
        if end not in self._is_last:
            later = Q(
                created_at__gte=timezone.make_aware(end),
                created_at__lt=timezone.make_aware(midnight),
            )
            self._is_last[end] = not any(
                source._default_manager.filter(later).exists() for source in aggregations.SOURCES
            )
        return TimeRange(wanted.start, midnight) if self._is_last[end] else wanted

    def _by_minute(
        self, kind: Kind, parts: Iterable[PartOfDay], keys: Sequence[str], letters: int = 0
    ) -> Iterator[Row]:
        """Rows by these keys, and by the first `letters` characters of `minute`, that add up to the
        figures of parts of days."""
        by_day = {part.day: part for part in parts}
        rows = list(_minutes(kind, by_day.values(), keys, letters)) if by_day else []
        counted: Counter[date] = Counter()
        for row in rows:
            counted[row["day"]] += row[_count_of(kind.by_minute[0])]
        totals = self._totals(kind, by_day)
        without = {day for day in by_day if counted[day] != totals[day]}
        yield from (r for r in rows if r["minute"] is not None and r["day"] not in without)
        for day in without:
            yield from self._from_log(kind, by_day[day])

    def _pending(self, kind: Kind, wanted: TimeRange) -> Iterator[Row]:
        for aggregation in kind.by_minute:
            yield from filter(wanted.has, self.snapshot.pending(aggregation))

    def _from_log(self, kind: Kind, part: PartOfDay) -> Iterator[Row]:
        """The rows of a day that an older release rolled up by day only."""
        log = self.snapshot.rolled(RequestLog.objects.filter(created_date=part.day))
        if log.count() < self._totals(REQUESTS, [part.day])[part.day]:
            raise MinutesUnavailable(f"The minutes of {part.day} are not kept any more.")
        for aggregation in kind.by_minute:
            rows = aggregations.of_days(aggregation.source, part.day, part.day)
            rolled = aggregation.select(self.snapshot.rolled(rows))
            yield from (r for r in rolled.order_by() if part.first <= r["minute"] < part.last)

    def _totals(self, kind: Kind, days: Iterable[date]) -> Mapping[date, int]:
        """How many rows the table of days has counted on each of these days."""
        totals = self._counted[kind]
        if missing := [day for day in days if day not in totals]:
            found = _totals(kind.by_day[0], missing)
            totals |= {day: found[day] for day in missing}
        return totals


def has_all_minutes(kind: Kind, day: date) -> bool:
    """Whether the table of minutes has as many rows of a day counted as the table of days."""
    return _totals(kind.by_day[0], [day]) == _totals(kind.by_minute[0], [day])


def _totals(aggregation: Aggregation, days: Collection[date]) -> Counter[date]:
    rows = aggregation.table._default_manager.filter(day__in=days)
    return Counter(dict(rows.values_list("day").annotate(Sum(_count_of(aggregation))).order_by()))


def _count_of(aggregation: Aggregation) -> str:
    """The column that counts rows."""
    return next(iter(aggregation.columns))


def _minutes(
    kind: Kind, parts: Collection[PartOfDay], keys: Sequence[str], letters: int
) -> Iterator[Row]:
    """The sums of the minutes of whole days by `day`, these keys, and `minute`: its first `letters`
    characters, or None outside the parts."""
    outside = Q(minute__in=())
    for part in parts:
        if part != PartOfDay(part.day):
            inside = Q(minute__gte=part.first, minute__lt=part.last)
            outside |= Q(day=part.day) & ~inside
    point = Case(When(outside, then=None), default=Substr("minute", 1, letters))
    table = kind.by_minute[0].table._default_manager
    rows = table.filter(day__in=[part.day for part in parts])
    for row in _summed(rows.annotate(point=point), kind.by_minute[0], ["day", "point", *keys]):
        yield row | {"minute": row["point"]}


def _summed(rows: "QuerySet[Any]", kind: Aggregation, keys: Sequence[str]) -> Iterable[Row]:
    sums = {name: Sum(name) for name in kind.columns}
    summed: Iterable[Row] = rows.values(*keys).annotate(**sums).order_by()
    return summed


def _points(rows: Iterable[Row], wanted: TimeRange, step: Step) -> list[Row]:
    """Sum rows by day, or by day and minute, at each point of a range."""
    letters = MINUTE_PREFIX[step]
    by_point: dict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        by_point[_start(row["day"], row["minute"][:letters] if letters else "")].append(row)
    return [
        {"start": start} | derived(added_up(by_point.get(start, ())))
        for start in wanted.starts(step)
    ]


def _start(day: date, minute: str) -> datetime:
    """The start of a point from its day, and its minute, hour or nothing."""
    return datetime.combine(day, time.fromisoformat(minute + "00:00"[len(minute) :]))
