"""The difference between two texts: by line, and by word or character within changed lines."""

import re
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

# A word of Latin letters, or any other single character: Chinese has no spaces between words.
TOKEN = re.compile(r"[A-Za-z0-9_]+|\s|.")

Replaced = Callable[[list[str], list[str]], Iterator["Piece"]]


class Piece(NamedTuple):
    """A run of text; `kind` is same, added or removed."""

    kind: str
    text: str


def differences(old: str, new: str) -> list[Piece]:
    """The differences between the texts, as pieces that make up both in reading order."""
    return list(_pieces(old.splitlines(keepends=True), new.splitlines(keepends=True), _in_line))


def _in_line(old: list[str], new: list[str]) -> Iterator[Piece]:
    """The pieces of changed lines."""
    return _pieces(TOKEN.findall("".join(old)), TOKEN.findall("".join(new)), _whole)


def _whole(old: list[str], new: list[str]) -> Iterator[Piece]:
    yield Piece("removed", "".join(old))
    yield Piece("added", "".join(new))


def _pieces(old: list[str], new: list[str], replaced: Replaced) -> Iterator[Piece]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(old[start:end]))
        elif tag == "replace":
            yield from replaced(old[start:end], new[new_start:new_end])
        elif tag == "delete":
            yield Piece("removed", "".join(old[start:end]))
        else:
            yield Piece("added", "".join(new[new_start:new_end]))
