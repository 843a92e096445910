"""Parses the classification in a model's text.

The parser is lenient about form, but never guesses: if a text is ambiguous about the category, or a
number is out of range, the answer is unreadable.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from classification.categories import IDCARD, named_categories
from classification.lenient_json import Found, Pairs, find_objects
from core.database.text import storable

MAX_DESCRIPTION_LENGTH = 200
# More than any answer needs. With thousands of nested braces, parsing would start again at each.
MAX_ANSWER_LENGTH = 20_000
MAX_THOUGHTS_LENGTH = 500_000
MAX_BRACES = 200

FIELDS = {
    "category": "category",
    "类别": "category",
    "分类": "category",
    "confidence": "confidence",
    "置信度": "confidence",
    "description": "description",
    "描述": "description",
}
NUMBER = re.compile(r"(?:\d{1,3}(?:\.\d+)?|\.\d+)\s*(%?)")
CJK = re.compile(r"[\u3400-\u9fff]")
# Reasoning before the answer; some templates omit the opening tag.
THOUGHTS = re.compile(
    r"\A.*</(?:think|thinking|thought|reasoning)>|<(?:think|thinking|thought|reasoning)>.*\Z",
    re.DOTALL | re.IGNORECASE,
)
# Words that announce an answer which replaces an earlier one.
FINALLY = re.compile(r"final|corrected|correction|revised|最终|最后|修正|更正|改为", re.IGNORECASE)
# An answer encoded as a JSON string, with or without the surrounding quotes.
ESCAPED = re.compile(r'[^{]*\{(?:\s|\\n)*\\"')
ESCAPE = re.compile(r'\\(["\\/n])')
CATEGORY_NAMED = re.compile(r"(?:category|类别|分类)\W{0,3}[:：]", re.IGNORECASE)


class UnreadableAnswer(ValueError):
    """The model's text contains no usable classification; the message says why, without quoting
    it."""


@dataclass(frozen=True, slots=True)
class Classification:
    """A classification of one photo: `category` is one of the eight keys, `confidence` is from 0 to
    1."""

    category: str
    confidence: float
    description: str | None


def read_classification(text: str) -> Classification:
    """Parse the classification in a model's text: JSON on its own, in a code fence or within prose.

    Of several with the same category, the last one counts. Raises UnreadableAnswer if there is
    none, if several have different categories, or if a field is invalid.
    """
    if len(text) > MAX_THOUGHTS_LENGTH:
        raise UnreadableAnswer("far too long for a verdict")
    said = THOUGHTS.sub("", text)
    if len(said) > MAX_ANSWER_LENGTH or said.count("{") + said.count("｛") > MAX_BRACES:
        raise UnreadableAnswer("far too long or too nested for a verdict")
    if ESCAPED.match(said):
        said = ESCAPE.sub(lambda escape: escape[1].replace("n", "\n"), said)
    verdicts = list(_verdicts(said))
    if not verdicts:
        raise UnreadableAnswer("no JSON object with a category")
    classifications = [_classification(verdict) for verdict in verdicts]
    if len({found.category for found in classifications}) > 1:
        raise UnreadableAnswer("several different verdicts")
    return classifications[-1]


def _verdicts(text: str) -> Iterator[Pairs]:
    """The objects with a category, without drafts that the model itself replaces."""
    found, broken = find_objects(text)
    for start in broken:
        # A broken object may contain another one, such as a second choice.
        if CATEGORY_NAMED.search(re.split("[{｛]", text[start + 1 :], maxsplit=1)[0]):
            raise UnreadableAnswer("a JSON object that is broken or cut off")
    for item in _without_drafts(text, found):
        yield from _verdicts_in(item.pairs)


def _without_drafts(text: str, found: list[Found]) -> list[Found]:
    named = [item for item in found if any(_verdicts_in(item.pairs))]
    for index in range(len(named) - 1, 0, -1):
        if FINALLY.search(text, named[index - 1].end, named[index].start):
            return named[index:]
    return named


def _verdicts_in(value: Any) -> Iterator[Pairs]:
    """The object itself if it has a category, else those nested in it, also as JSON in a string."""
    if isinstance(value, Pairs):
        if any(_field(name) == "category" for name, _value in value):
            yield value
            return
        for _name, inner in value:
            yield from _verdicts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _verdicts_in(inner)
    elif isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        for item in find_objects(value)[0]:
            yield from _verdicts_in(item.pairs)


def _field(name: str) -> str:
    return FIELDS.get(name.strip().casefold(), "")


def _classification(verdict: Pairs) -> Classification:
    fields: dict[str, Any] = {}
    for name, value in verdict:
        field = _field(name)
        if field in fields and fields[field] != value:
            raise UnreadableAnswer(f"two values for the {field}")
        fields[field] = value
    category = _category(_only_item(fields["category"]))
    # The text on an ID card must not be passed on to others who upload the same file.
    description = None if category == IDCARD else _description(fields.get("description"))
    return Classification(category, _confidence(_only_item(fields.get("confidence"))), description)


def _only_item(value: Any) -> Any:
    """The item of a list of one; any other value unchanged."""
    is_single = isinstance(value, list) and not isinstance(value, Pairs) and len(value) == 1
    return value[0] if is_single else value


def _category(value: Any) -> str:
    keys = named_categories(value) if isinstance(value, str) else set()
    if len(keys) != 1:
        raise UnreadableAnswer("the category is none, or not one, of the eight")
    return keys.pop()


def _confidence(value: Any) -> float:
    if isinstance(value, str):
        number = NUMBER.fullmatch(unicodedata.normalize("NFKC", value).strip())
        value = float(number[0].rstrip("% ")) / (100 if number[1] else 1) if number else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UnreadableAnswer("the confidence is not a number from 0 to 1")
    return round(float(value), 4)


def _description(value: Any) -> str | None:
    if value is None:
        return None
    text = storable(_text(value)).strip()
    return text[:MAX_DESCRIPTION_LENGTH].strip() or None


def _text(value: Any) -> str:
    if isinstance(value, list) and not isinstance(value, Pairs):
        parts = [_text(item) for item in value]
        return ("，" if any(map(CJK.search, parts)) else ", ").join(parts)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnreadableAnswer("the description is not a text")
    return str(value)
