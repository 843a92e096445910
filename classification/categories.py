"""The eight categories: keys, names and definitions."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.functional import lazy
from django.utils.translation import get_language


def _is_chinese() -> bool:
    return (get_language() or "").startswith("zh")


class Category(NamedTuple):
    """A category; `belongs` is its definition in Chinese, which the default prompt uses."""

    key: str
    chinese: str
    english: str
    belongs: str
    english_belongs: str

    @property
    def name(self) -> str:
        """The name in the active language."""
        return self.chinese if _is_chinese() else self.english

    @property
    def definition(self) -> str:
        """The definition in the active language."""
        return self.belongs if _is_chinese() else self.english_belongs

    @property
    def label(self) -> str:
        """The name, translated lazily when it is shown."""
        return lazy(lambda: self.name, str)()


CATEGORIES = (
    Category(
        "social_activities",
        "社交活动",
        "Social Activities",
        "聚会、合影、多人互动",
        "parties, group photos, several people interacting",
    ),
    Category("pets", "宠物萌照", "Pet Photos", "猫、狗和其他宠物", "cats, dogs and other pets"),
    Category(
        "single_person",
        "单人照片",
        "Single Person Photos",
        "一个人、自拍、人像",
        "one person, selfie, portrait",
    ),
    Category(
        "foods", "美食记录", "Food Records", "食物、饮料、餐食、烹饪", "food, drink, meals, cooking"
    ),
    Category(
        "travel_scenery",
        "旅行风景",
        "Travel Scenery",
        "自然风光、城市景观、名胜古迹",
        "landscape, city view, sights",
    ),
    Category(
        "screenshot",
        "手机截图",
        "Mobile Screenshots",
        "屏幕截图、应用界面",
        "a capture of a screen, app interface",
    ),
    Category(
        "idcard",
        "证件照",
        "ID Card",
        "身份证、护照、驾驶证等证件，证件照",
        "identity card, passport, licence, ID photo",
    ),
    Category("other", "其它", "Other Images", "以上都不是", "none of the above"),
)
KEYS = frozenset(category.key for category in CATEGORIES)
BY_KEY = {category.key: category for category in CATEGORIES}

IDCARD = "idcard"
OTHER = "other"


def named_categories(text: str) -> set[str]:
    """The keys of the categories in a text that consists of nothing but keys or names, in either
    language; empty if it contains anything else."""
    words = re.sub(r"[\s_\-‐‑–—]+", " ", unicodedata.normalize("NFKC", text).casefold())
    rest = _NAMES_PATTERN.sub(" ", words)
    if any(char.isalnum() for char in rest):
        return set()
    return {_KEY_BY_NAME[name] for name in _NAMES_PATTERN.findall(words)}


def _names(category: Category) -> Iterator[str]:
    """The spellings of a category that models use, in lower case with single spaces."""
    key = category.key.replace("_", " ")
    for name in (key, key.replace(" ", ""), category.english.casefold()):
        yield from (name, _singular(name), _plural(_singular(name)))
    yield category.chinese


def _singular(name: str) -> str:
    return name.removesuffix("ies") + "y" if name.endswith("ies") else name.removesuffix("s")


def _plural(name: str) -> str:
    return name.removesuffix("y") + "ies" if name.endswith("y") else f"{name}s"


_KEY_BY_NAME = {name: category.key for category in CATEGORIES for name in _names(category)}
# Both characters for "it" are in use in this word.
_KEY_BY_NAME["其他"] = OTHER
_NAMES_PATTERN = re.compile("|".join(sorted(map(re.escape, _KEY_BY_NAME), key=len, reverse=True)))
