"""A lenient parser for JSON objects in text written by models.

Accepts quotes of any kind, including unescaped ones within strings, raw line breaks, trailing
commas, comments, full-width punctuation and bare words. Does not complete truncated JSON nor guess
at ambiguous input, both of which json-repair does.
"""

import re
from typing import Any, NamedTuple

MAX_DEPTH = 12
# Opening quote -> the quotes that may close it.
CLOSING = {'"': '"', "'": "'", "“": '”"', "”": '”"', "‘": "’'", "’": "’'", "＂": "＂"}
CONSTANTS = {"true": True, "false": False, "null": None, "none": None}
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_BLANKS = re.compile(r"(?:\s|\ufeff|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?\s*[%％]?")
_WORD = re.compile(r"[^\W\d][\w \-]*")
# What must follow a closing quote; otherwise the quote is part of the string.
_AFTER_STRING = re.compile(r"\s*(?:[,:}\]，：｝］]|//|/\*|$)")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_UNICODE_ESCAPE = re.compile(r"[0-9a-fA-F]{4}")


class Found(NamedTuple):
    """A top-level object: its members in order (names may repeat), and its position in the text."""

    start: int
    end: int
    pairs: "Pairs"


class Pairs(list[tuple[str, Any]]):
    """The members of one object."""


class Broken(ValueError):
    """Not JSON, even by these rules. `position` is where the broken object starts."""

    def __init__(self, position: int) -> None:
        super().__init__("not JSON")
        self.position = position


class Percent(str):
    """An unquoted number with a percent sign."""


def find_objects(text: str) -> tuple[list[Found], list[int]]:
    """All top-level objects in the text, and the positions of braces that do not start one."""
    found: list[Found] = []
    broken: list[int] = []
    position = _next_brace(text, 0)
    while position >= 0:
        try:
            pairs, end = _Reader(text).object(position, 0)
            found.append(Found(position, end, pairs))
        except Broken:
            broken.append(position)
            end = position + 1
        position = _next_brace(text, end)
    return found, broken


def _next_brace(text: str, start: int) -> int:
    return min((p for p in (text.find("{", start), text.find("｛", start)) if p >= 0), default=-1)


class _Reader:
    """A recursive descent parser. Each method takes a start position, and returns the value and the
    position after it; raises Broken."""

    def __init__(self, text: str) -> None:
        self._text = text

    def object(self, start: int, depth: int) -> tuple[Pairs, int]:
        pairs = Pairs()
        at = self._blanks(start + 1)
        while self._peek(at) not in "}｝":
            name, at = self._name(at)
            at = self._mark(at, ":：")
            value, at = self._value(at, depth + 1)
            pairs.append((name, value))
            at = self._separator(at, "}｝")
        return pairs, at + 1

    def _list(self, start: int, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        at = self._blanks(start + 1)
        while self._peek(at) not in "]］":
            value, at = self._value(at, depth + 1)
            items.append(value)
            at = self._separator(at, "]］")
        return items, at + 1

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        if depth > MAX_DEPTH:
            raise Broken(at)
        first = self._peek(at)
        if first in "{｛":
            return self.object(at, depth)
        if first in "[［":
            return self._list(at, depth)
        if first in CLOSING:
            return self._string(at)
        if number := _NUMBER.match(self._text, at):
            return _number(number.group()), number.end()
        word, end = self._bare_word(at)
        return CONSTANTS.get(word.lower(), word), end

    def _name(self, at: int) -> tuple[str, int]:
        return self._string(at) if self._peek(at) in CLOSING else self._bare_word(at)

    def _bare_word(self, at: int) -> tuple[str, int]:
        word = _WORD.match(self._text, at)
        if not word:
            raise Broken(at)
        return word.group().strip(), word.end()

    def _string(self, start: int) -> tuple[str, int]:
        closing = CLOSING[self._text[start]]
        parts: list[str] = []
        at = start + 1
        while True:
            char = self._peek(at)
            if char == "\\":
                part, at = self._escape(at + 1)
            elif char in closing and _AFTER_STRING.match(self._text, at + 1):
                return _joined(parts), at + 1
            else:
                part, at = char, at + 1
            parts.append(part)

    def _escape(self, at: int) -> tuple[str, int]:
        char = self._peek(at)
        if char == "u":
            digits = _UNICODE_ESCAPE.match(self._text, at + 1)
            if not digits:
                raise Broken(at)
            return chr(int(digits.group(), 16)), digits.end()
        return ESCAPES.get(char, char), at + 1

    def _separator(self, at: int, closing: str) -> int:
        """The position after a comma, or of the closing bracket."""
        at = self._blanks(at)
        if self._peek(at) in closing:
            return at
        return self._mark(at, ",，")

    def _mark(self, at: int, marks: str) -> int:
        at = self._blanks(at)
        if self._peek(at) not in marks:
            raise Broken(at)
        return self._blanks(at + 1)

    def _blanks(self, at: int) -> int:
        match = _BLANKS.match(self._text, at)
        return match.end() if match else at

    def _peek(self, at: int) -> str:
        if at >= len(self._text):
            raise Broken(at)
        return self._text[at]


def _number(text: str) -> int | float | Percent:
    if text[-1] in "%％":
        return Percent(text)
    return int(text) if text.lstrip("-").isdecimal() else float(text)


def _joined(parts: list[str]) -> str:
    """The joined string, with surrogate pairs combined."""
    return _SURROGATES.sub(
        lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), "".join(parts)
    )
