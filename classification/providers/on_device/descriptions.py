"""Short Chinese descriptions of what the on-device model recognises."""

from classification.providers.on_device import labels

# Labels that are more specific than their category, by their English names.
CHINESE = {
    "goldfish": "金鱼",
    "macaw": "鹦鹉",
    "sulphur-crested cockatoo": "鹦鹉",
    "hamster": "仓鼠",
    "guinea pig": "豚鼠",
    "wood rabbit": "兔子",
    "Angora": "兔子",
    "pizza": "披萨",
    "cheeseburger": "汉堡",
    "hotdog": "热狗",
    "espresso": "咖啡",
    "red wine": "红酒",
    "ice cream": "冰淇淋",
    "hot pot": "火锅",
    "carbonara": "意面",
    "burrito": "卷饼",
    "bagel": "面包",
    "French loaf": "面包",
    "pretzel": "面包",
    "trifle": "甜点",
    "chocolate sauce": "甜点",
    "plate": "一盘菜",
    "broccoli": "西兰花",
    "cauliflower": "花菜",
    "cucumber": "黄瓜",
    "mushroom": "蘑菇",
    "strawberry": "草莓",
    "orange": "橙子",
    "lemon": "柠檬",
    "pineapple": "菠萝",
    "banana": "香蕉",
    "Granny Smith": "苹果",
    "pomegranate": "石榴",
    "seashore": "海边",
    "sandbar": "沙滩",
    "promontory": "海岬",
    "lakeside": "湖边",
    "dock": "码头",
    "pier": "栈桥",
    "alp": "高山",
    "volcano": "火山",
    "valley": "山谷",
    "cliff": "悬崖",
    "coral reef": "珊瑚礁",
    "geyser": "喷泉",
    "fountain": "喷泉",
    "palace": "宫殿",
    "castle": "城堡",
    "monastery": "寺院",
    "mosque": "清真寺",
    "church": "教堂",
    "stupa": "佛塔",
    "suspension bridge": "大桥",
    "steel arch bridge": "大桥",
    "viaduct": "大桥",
    "barn": "农舍",
    "boathouse": "船屋",
    "yawl": "帆船",
    "schooner": "帆船",
}
DOGS = range(151, 269)
CATS = range(281, 286)
PHRASES = {
    "pets": "一只宠物",
    "foods": "一份食物",
    "travel_scenery": "一处风景",
    "screenshot": "一张屏幕截图",
    "single_person": "一个人",
}


def describe(category: str, best: list[int], faces: int) -> str | None:
    """A phrase for a category, from the numbers of the most likely labels in order; None if there
    is none, or the category must have no description."""
    if category == "social_activities":
        return f"{faces}个人在一起"
    if category in ("pets", "foods", "travel_scenery"):
        numbers = set(labels.numbers(category))
        for number in best:
            if number in numbers and (name := _chinese(number)):
                return name
    return PHRASES.get(category)


def _chinese(number: int) -> str | None:
    if number in DOGS:
        return "狗"
    if number in CATS:
        return "猫"
    return CHINESE.get(labels.names()[number])
