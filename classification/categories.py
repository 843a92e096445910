"""The eight categories: their keys, their names and what belongs to each."""

from typing import NamedTuple

from django.utils.functional import lazy
from django.utils.translation import get_language


class Category(NamedTuple):
    """A category; `belongs` is the Chinese description that the default prompt uses."""

    key: str
    chinese: str
    english: str
    belongs: str

    @property
    def name(self) -> str:
        """The name in the language in use."""
        return self.chinese if (get_language() or "").startswith("zh") else self.english

    @property
    def label(self) -> str:
        """The same, worked out when it is shown."""
        return lazy(lambda: self.name, str)()


CATEGORIES = (
    Category("social_activities", "社交活动", "Social Activities", "聚会、合影、多人互动"),
    Category("pets", "宠物萌照", "Pet Photos", "猫、狗和其他宠物"),
    Category("single_person", "单人照片", "Single Person Photos", "一个人、自拍、人像"),
    Category("foods", "美食记录", "Food Records", "食物、饮料、餐食、烹饪"),
    Category("travel_scenery", "旅行风景", "Travel Scenery", "自然风光、城市景观、名胜古迹"),
    Category("screenshot", "手机截图", "Mobile Screenshots", "屏幕截图、应用界面"),
    Category("idcard", "证件照", "ID Card", "身份证、护照、驾驶证等证件，证件照"),
    Category("other", "其它", "Other Images", "以上都不是"),
)
KEYS = frozenset(category.key for category in CATEGORIES)
BY_KEY = {category.key: category for category in CATEGORIES}

IDCARD = "idcard"
OTHER = "other"
