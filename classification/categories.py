"""The eight categories: their keys, their names and what belongs to each."""

from typing import NamedTuple

from django.utils.functional import lazy
from django.utils.translation import get_language


def _is_chinese() -> bool:
    return (get_language() or "").startswith("zh")


class Category(NamedTuple):
    """A category; `belongs` is the Chinese description that the default prompt uses."""

    key: str
    chinese: str
    english: str
    belongs: str
    english_belongs: str

    @property
    def name(self) -> str:
        """The name in the language in use."""
        return self.chinese if _is_chinese() else self.english

    @property
    def what_belongs(self) -> str:
        """The description in the language in use."""
        return self.belongs if _is_chinese() else self.english_belongs

    @property
    def label(self) -> str:
        """The same, worked out when it is shown."""
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
