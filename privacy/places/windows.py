"""Reads a person's rows of a table without an index on users, window by window."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Max, Min

from privacy.people import Person

# Read in well under a second, even from disk, because of the web server's read timeout.
WINDOW_IDS = 25_000


def read_by_windows(
    person: Person, table: Any, *, columns: tuple[str, ...] = (), last_id: int | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Yields the person's rows per window of ids, with `pk`, `user_id` and `columns`; an empty list
    for a window without any. Takes no locks."""
    rows = person.rows(table)
    if last_id is None:
        last_id = table._default_manager.aggregate(last=Max("pk"))["last"] or 0
    start = _next_id(table, 0)
    while start is not None and start <= last_id:
        end = min(start + WINDOW_IDS - 1, last_id)
        found = rows.filter(pk__range=(start, end)).order_by("pk").values("pk", "user_id", *columns)
        yield [row for row in found if person.is_of(row["user_id"])]
        start = _next_id(table, end + 1)


def _next_id(table: Any, start: int) -> int | None:
    first: int | None = table._default_manager.filter(pk__gte=start).aggregate(first=Min("pk"))[
        "first"
    ]
    return first
