"""Adding rows of the roll-ups and rows of the tail together."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any


def between(rows: Iterable[dict[str, Any]], first: date, last: date) -> list[dict[str, Any]]:
    """The rows of the days from `first` to `last`."""
    return [row for row in rows if first <= row["day"] <= last]


def merged(
    rolled: Iterable[Mapping[str, Any]], later: Iterable[Mapping[str, Any]], *keys: str
) -> list[dict[str, Any]]:
    """One row for each set of keys, with what both have added together."""
    found = {tuple(row[key] for key in keys): dict(row) for row in rolled}
    for row in later:
        into = found.setdefault(tuple(row[key] for key in keys), {})
        for name, value in row.items():
            into[name] = _together(name, into[name], value) if name in into else value
    return list(found.values())


def _together(name: str, old: Any, new: Any) -> Any:
    if name == "first_request":
        return min(old, new)
    if name == "last_request":
        return max(old, new)
    return old if isinstance(old, str | date) else old + new
