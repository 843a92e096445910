"""Reads what a browser would send of a page's form."""

from collections import defaultdict
from html.parser import HTMLParser
from typing import Any


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = defaultdict(list)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, kind = found.get("name"), found.get("type")
        if tag != "input" or not name or kind == "submit":
            return
        if kind != "checkbox" or "checked" in found:
            self.values[name].append(found.get("value") or ("on" if kind == "checkbox" else ""))


def input_values(page: str) -> dict[str, Any]:
    """The values of a page's inputs by name, nothing having been touched."""
    fields = _Fields()
    fields.feed(page)
    return dict(fields.values)
