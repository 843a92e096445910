"""A short Chinese phrase for what the on-device model sees."""

PHRASES = {
    "pets": "一只宠物",
    "foods": "一份食物",
    "travel_scenery": "一处风景",
    "screenshot": "一张屏幕截图",
    "single_person": "一个人",
}


def describe(category: str, faces: int) -> str | None:
    """A phrase for a category; None where the model has nothing to say, or must not."""
    if category == "social_activities":
        return f"{faces}个人在一起"
    return PHRASES.get(category)
