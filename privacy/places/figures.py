"""A person's rows in the statistics by user.

The user id is replaced by a random alias of the erasure, so all counts of users and all sums stay
the same. For one app, its share is subtracted from the figures over all apps, and rows without any
other share get the alias.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Sum

from clients.models import ANONYMOUS_ID, App
from privacy.people import Person
from privacy.places.task import ErasureTask, ForgottenRows, Row
from stats import aggregations
from stats.merging import Aggregation
from stats.models import Day, DayAppUser, DayUser, RollUp, User

# Requests and hits of a day.
Part = tuple[int, int]


def forget(task: ErasureTask) -> Iterator[ForgottenRows]:
    """Take the person's ids out of the figures, all at once."""
    counts: Counter[str] = Counter()
    with transaction.atomic():
        list(RollUp.objects.select_for_update())  # locks out roll-ups
        for number, user_id in enumerate(task.person.kept_ids):
            # One alias per stored id: they counted as different users.
            alias = f"{task.alias}-{number}" if number else task.alias
            counts += _forget(task.person, user_id, alias)
    yield from counts.items()


def read(person: Person) -> Iterator[Row]:
    """The person's requests by day, as exported."""
    for day, requests in sorted(rows_by_day(person).items()):
        yield {"day": day, "requests": requests}


def count(person: Person) -> int:
    """The number of days with figures."""
    return len(rows_by_day(person))


def rows_by_day(person: Person) -> dict[date, int]:
    """Day -> the person's requests in the roll-ups."""
    days: Counter[date] = Counter()
    for user_id in person.kept_ids:
        if person.app_id is None:
            found = _day_users(user_id).values_list("day", "requests")
            days.update(dict(found))
        else:
            parts = _parts(person.app_id, user_id)
            days.update({day: requests for day, (requests, _) in parts.items()})
    return dict(days)


def _forget(person: Person, user_id: str, alias: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    # Read before the rows are renamed.
    parts = None if person.app_id is None else _parts(person.app_id, user_id)
    of_apps = DayAppUser.objects.filter(app_id__in=_apps(person), day__in=_days(), user_id=user_id)
    counts[DayAppUser._meta.db_table] = _rename(aggregations.APP_USERS, of_apps, alias)
    if parts is None:
        counts[DayUser._meta.db_table] = _rename(aggregations.DAY_USERS, _day_users(user_id), alias)
        users = User.objects.filter(user_id=user_id)
        counts[User._meta.db_table] = _rename(aggregations.USERS, users, alias)
    elif parts:
        counts[DayUser._meta.db_table] = len(parts)
        counts[User._meta.db_table] = _forget_of_app(user_id, parts, alias)
    return counts


def _forget_of_app(user_id: str, parts: Mapping[date, Part], alias: str) -> int:
    """Subtract an app's share from its user's figures over all apps. A day without other shares is
    renamed to the alias, so that the count of users stays the same."""
    names = (*aggregations.DAY_USERS.keys, *aggregations.DAY_USERS.columns)
    rows = list(_day_users(user_id).filter(day__in=parts).values(*names))
    own = [row for row in rows if row["requests"] == parts[row["day"]][0]]
    _rename(aggregations.DAY_USERS, _day_users(user_id).filter(_days_of(own)), alias)
    for day in parts.keys() - {row["day"] for row in own}:
        requests, hits = parts[day]
        DayUser.objects.filter(day=day, user_id=user_id).update(
            requests=F("requests") - requests, hits=F("hits") - hits
        )
    _add(aggregations.USERS, [row | {"user_id": alias} for row in own])
    user = User.objects.filter(user_id=user_id)
    changed = user.update(
        requests=F("requests") - sum(requests for requests, _ in parts.values()),
        hits=F("hits") - sum(hits for _, hits in parts.values()),
    )
    user.filter(requests=0).delete()
    return changed


def _days_of(rows: Iterable[Row]) -> Q:
    return Q(day__in=[row["day"] for row in rows])


def _rename(aggregation: Aggregation, rows: Any, alias: str) -> int:
    """Rename the user of rows to the alias, merging with its existing rows."""
    found = list(rows.values(*aggregation.keys, *aggregation.columns))
    _delete(aggregation, found)
    merged = _add(aggregation, [row | {"user_id": alias} for row in found])
    if aggregation is aggregations.DAY_USERS:
        for row in merged:  # the alias was counted as another user
            Day.objects.filter(day=row["day"]).update(unique_users=F("unique_users") - 1)
    return len(found)


def _add(aggregation: Aggregation, rows: Sequence[Row]) -> Sequence[Row]:
    """Add rows to a table, merging with those of the same keys; returns the existing ones."""
    table: Any = aggregation.table
    there = []
    for keys in {tuple(row[name] for name in aggregation.keys) for row in rows}:
        same = table.objects.filter(**dict(zip(aggregation.keys, keys, strict=True)))
        there += list(same.values(*aggregation.keys, *aggregation.columns))
    _delete(aggregation, there)
    table.objects.bulk_create(table(**row) for row in aggregation.merge([*there, *rows]))
    return there


def _delete(aggregation: Aggregation, rows: Iterable[Row]) -> None:
    for row in rows:
        keys = {name: row[name] for name in aggregation.keys}
        aggregation.table._default_manager.filter(**keys).delete()


def _parts(app_id: int, user_id: str) -> dict[date, Part]:
    """Day -> a user's figures of one app; for `anonymous`, the difference to all other apps."""
    days = _days()
    if app_id != ANONYMOUS_ID:
        rows = DayAppUser.objects.filter(app_id=app_id, day__in=days, user_id=user_id)
        return {row.day: (row.requests, row.hits) for row in rows}
    apps = App.objects.exclude(pk=ANONYMOUS_ID).values_list("pk", flat=True)
    taken: dict[date, Part] = defaultdict(lambda: (0, 0)) | {
        day: (requests, hits)
        for day, requests, hits in DayAppUser.objects.filter(
            app_id__in=list(apps), day__in=days, user_id=user_id
        )
        .values("day")
        .annotate(all=Sum("requests"), all_hits=Sum("hits"))
        .values_list("day", "all", "all_hits")
    }
    parts = {
        row.day: (row.requests - taken[row.day][0], row.hits - taken[row.day][1])
        for row in _day_users(user_id)
    }
    return {day: part for day, part in parts.items() if part[0]}


def _apps(person: Person) -> list[int]:
    if person.app_id is not None:
        return [person.app_id]
    return list(App.objects.values_list("pk", flat=True))


def _day_users(user_id: str) -> Any:
    # A list of days lets the database use the primary key.
    return DayUser.objects.filter(day__in=_days(), user_id=user_id)


def _days() -> list[date]:
    return list(Day.objects.values_list("day", flat=True))
