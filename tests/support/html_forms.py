"""Reads what a browser would send of a page's form."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, kind = found.get("name"), found.get("type")
        if tag != "input" or not name or kind == "submit":
            return
        if kind != "checkbox" or "checked" in found:
            self.values[name] = found.get("value") or ("on" if kind == "checkbox" else "")


def input_values(page: str) -> dict[str, str]:
    """The values of a page's inputs by name, nothing having been touched."""
    fields = _Fields()
    fields.feed(page)
    return fields.values
