"""Who asks, and how often: roll-ups and tail together, as in queries.py."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from django.db.models import Max, Min, Sum

from stats import tallies
from stats.merging import between, merged
from stats.models import Day, DayUser, User
from stats.tail import Tail

PAGE_USERS = 2000


def top_users(tail: Tail, limit: int) -> list[dict[str, Any]]:
    """Who asked most since the log began, at most `limit` of them."""
    later = tail.rows(tallies.USERS)
    rolled = User.objects.values("user_id", "requests", "hits", "first_request", "last_request")
    first = list(rolled.order_by("-requests", "user_id")[:limit])
    # Most of the tail's users asked a few times, and are nowhere near the first ones.
    least = first[-1]["requests"] if len(first) == limit else 0
    most_in_tail = max((row["requests"] for row in later), default=0)
    near = rolled.filter(requests__gte=least - most_in_tail)
    candidates = [*first, *near.filter(user_id__in=[row["user_id"] for row in later])]
    unique = {row["user_id"]: row for row in candidates}
    found = merged(unique.values(), later, "user_id")
    found.sort(key=lambda row: (-row["requests"], row["user_id"]))
    return [_user(row) for row in found[:limit]]


def users(tail: Tail, first: date, last: date) -> Iterator[dict[str, Any]]:
    """Who asked on the days from `first` to `last`, by user id; the newest users last.

    Read page by page: however many there are, few are in memory.
    """
    later = merged((), between(tail.rows(tallies.DAY_USERS), first, last), "user_id")
    in_tail = {row["user_id"]: row for row in later}
    for page in _pages(first, last):
        for row in page:
            also = in_tail.pop(row["user_id"], None)
            yield _user(merged([row], [also] if also else [], "user_id")[0])
    yield from (_user(in_tail[user_id]) for user_id in sorted(in_tail))


def _pages(first: date, last: date) -> Iterator[Iterable[Mapping[str, Any]]]:
    """The rolled rows of each user, a page of users at a time."""
    # Named one by one, the days lead MariaDB to the page's users by the table's own key.
    days = list(Day.objects.filter(day__range=(first, last)).values_list("day", flat=True))
    after = ""
    while True:
        ids = User.objects.filter(user_id__gt=after).order_by("user_id")
        page = list(ids.values_list("user_id", flat=True)[:PAGE_USERS])
        if not page:
            return
        yield (
            DayUser.objects.filter(day__in=days, user_id__gt=after, user_id__lte=page[-1])
            .values("user_id")
            .annotate(
                requests=Sum("requests"),
                hits=Sum("hits"),
                first_request=Min("first_request"),
                last_request=Max("last_request"),
            )
            .order_by("user_id")
        )
        after = page[-1]


def _user(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "user_id": row["user_id"],
        "request_count": row["requests"],
        "cache_hits": row["hits"],
        "cache_hit_rate": 100 * row["hits"] / row["requests"],
        "first_request": row["first_request"],
        "last_request": row["last_request"],
    }
