"""Figures by user: roll-ups and pending rows combined."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from django.db.models import Max, Min, Q, Sum

from stats import aggregations
from stats.merging import Row
from stats.models import Day, DayUser, User
from stats.snapshot import SnapshotFigures

PAGE_USERS = 2000


class UserFigures(SnapshotFigures):
    """Figures of each user from one snapshot."""

    def top_users(self, limit: int) -> list[Row]:
        """The `limit` users with the most requests of all time."""
        rolled = User.objects.values("user_id", *aggregations.USERS.columns)
        first = list(rolled.order_by("-requests", "user_id")[:limit])
        least = first[-1]["requests"] if len(first) == limit else 0
        pending = self._most_pending(least, limit)
        others = {row["user_id"] for row in pending} - {row["user_id"] for row in first}
        first += rolled.filter(user_id__in=others)
        found = aggregations.USERS.merge([*first, *pending])
        found.sort(key=lambda row: (-row["requests"], row["user_id"]))
        return [_figures(row) for row in found[:limit]]

    def _most_pending(self, least: int, limit: int) -> list[Row]:
        """The pending rows of the users with at least `least` requests, rolled ones included; of
        the `limit` users with the most."""
        aggregation = aggregations.USERS
        pending = self.snapshot.pending_rows(aggregation.source)
        asked, params = aggregation.select(pending).order_by().query.sql_with_params()
        # Chosen by the database: most users with pending rows have few requests.
        requests = "asked.requests + COALESCE(known.requests, 0)"
        users = User.objects.raw(
            f"SELECT asked.* FROM ({asked}) AS asked LEFT JOIN {User._meta.db_table} AS known "  # noqa: S608
            f"ON known.user_id = asked.user_id WHERE {requests} >= %s "
            f"ORDER BY {requests} DESC, asked.user_id LIMIT %s",
            (*params, least, limit),
        )
        names = ("user_id", *aggregation.columns)
        return [{name: getattr(user, name) for name in names} for user in users]

    def users(self, first: date, last: date) -> Iterator[Row]:
        """The users with requests from `first` to `last`, by user id; new users last.

        Reads page by page, in bounded memory.
        """
        pending = self.snapshot.pending_between(aggregations.DAY_USERS, first, last)
        by_user = {row["user_id"]: row for row in _merge(pending)}
        for page in _pages(first, last):
            for row in page:
                also = by_user.pop(row["user_id"], None)
                yield _of_days(_merge([row, also])[0] if also else row)
        yield from (_of_days(by_user[user_id]) for user_id in sorted(by_user))


def _merge(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    return aggregations.DAY_USERS.merge(rows, ["user_id"])


def _pages(first: date, last: date) -> Iterator[Iterable[Mapping[str, Any]]]:
    """The rolled rows of each user, a page of users at a time."""
    # A list of days lets MariaDB use the primary key.
    days = list(Day.objects.filter(day__range=(first, last)).values_list("day", flat=True))
    later = Q()
    while True:
        ids = User.objects.filter(later).order_by("user_id")
        page = list(ids.values_list("user_id", flat=True)[:PAGE_USERS])
        if not page:
            return
        yield (
            DayUser.objects.filter(later, day__in=days, user_id__lte=page[-1])
            .values("user_id")
            .annotate(
                requests=Sum("requests"),
                hits=Sum("hits"),
                new_photos=Sum("new_photos"),
                cost=Sum("cost"),
                first_request=Min("first_request"),
                last_request=Max("last_request"),
            )
            .order_by("user_id")
        )
        later = Q(user_id__gt=page[-1])


def _of_days(row: Mapping[str, Any]) -> Row:
    return _figures(row) | {"new_photos": row["new_photos"], "cost": row["cost"]}


def _figures(row: Mapping[str, Any]) -> Row:
    return {
        "user_id": row["user_id"],
        "request_count": row["requests"],
        "cache_hits": row["hits"],
        "cache_hit_rate": 100 * row["hits"] / row["requests"],
        "first_request": row["first_request"],
        "last_request": row["last_request"],
    }
