"""What a classification is, and how one is read out of a model's words."""

import json
import re
from dataclasses import dataclass
from typing import Any

from classification.categories import IDCARD, KEYS

MAX_DESCRIPTION_LENGTH = 200
# More than any verdict needs. Braces nested by the thousand would be parsed from each one anew.
MAX_ANSWER_LENGTH = 20_000
MAX_BRACES = 200
NUMBER = re.compile(r"\d{1,3}(?:\.\d+)?|\.\d+")


class UnreadableAnswer(ValueError):
    """The model's words hold no usable verdict; the message says why, without repeating them."""


@dataclass(frozen=True, slots=True)
class Classification:
    """A verdict on one photo: `category` is one of the eight keys, `confidence` is 0..1."""

    category: str
    confidence: float
    description: str | None


def read_classification(text: str) -> Classification:
    """The classification in a model's answer: JSON alone, in a code fence or within prose.

    Raises UnreadableAnswer when there is none, when there are several different ones, or when
    a field is not what was asked for.
    """
    if len(text) > MAX_ANSWER_LENGTH or text.count("{") > MAX_BRACES:
        raise UnreadableAnswer("far too long or too nested for a verdict")
    verdicts = [verdict for verdict in _json_objects(text) if "category" in verdict]
    if not verdicts:
        raise UnreadableAnswer("no JSON object with a category")
    classifications = {_classification(verdict) for verdict in verdicts}
    if len(classifications) > 1:
        raise UnreadableAnswer("several different verdicts")
    return classifications.pop()


def _json_objects(text: str) -> list[dict[str, Any]]:
    """Every outermost JSON object in the text, in its order."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    found: list[dict[str, Any]] = []
    position = text.find("{")
    while position >= 0:
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            found.append(value)
        position = text.find("{", end)
    return found


def _refuse_constant(name: str) -> Any:
    raise UnreadableAnswer(f"{name} is not a JSON number")


def _classification(verdict: dict[str, Any]) -> Classification:
    category = _category(verdict["category"])
    # What is printed on somebody's card must not be shared with the next person who has the file.
    description = None if category == IDCARD else _description(verdict.get("description"))
    return Classification(category, _confidence(verdict.get("confidence")), description)


def _category(value: Any) -> str:
    key = value.strip().lower() if isinstance(value, str) else ""
    if key not in KEYS:
        raise UnreadableAnswer("the category is none of the eight keys")
    return key


def _confidence(value: Any) -> float:
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UnreadableAnswer("the confidence is not a number from 0 to 1")
    return round(float(value), 4)


def _description(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnreadableAnswer("the description is not a text")
    # Lone surrogates and NUL are valid in JSON but in no database column.
    text = value.encode("utf-8", "ignore").decode().replace("\x00", "").strip()
    return text[:MAX_DESCRIPTION_LENGTH].strip() or None
