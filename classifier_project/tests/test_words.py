"""One word for one thing: what the catalogue must not say again, in either language."""

import gettext
import re

import pytest
from django.conf import settings

# Read oddly by those who work with the pages, or say twice what has a word already.
CHINESE = [
    "结局",
    "作答",
    "询问",
    "绕过缓存",
    "已知照片",
    "已视为未知",
    "从现在起视为未知",
    "被拒绝或由替代结果",
    "替代结果",
    "清除",
    "人工更正",
    "修正人",
    "省去",
    "每张照片的请求",
    "单张照片最多请求",
    "部分进程出现故障",
    "文件不是完整可读的图片",
    "其中不是照片的文件",
    "无可比数据",
    "模型原文",
    "模型的回答",
    "模型原判",
    "不确定",
    "统计最近多少分钟",
    "请求不少于多少次",
    "模型来源",
    "词元",
    "本机模型",
    "查看它的请求",
    "以表格查看",
    "每张新照片都会",
    "此时还不会生效",
    "待写日志",
    "认证令牌",
    "认证和授权",
    "来修改",
    "增加%",
]
CHINESE_WHOLE = {"键", "数据", "丢失日志", "单日花费（元）", "失败率（%）"}
ENGLISH = (
    r"again every \d*",
    r"perhaps|stand-in|stands in|asked again|in force|go on with it|there is none|its calls",
    r"its requests|past the cache|model's own words|what was no photo|whole, readable image",
    r"who is asked|address of the provider|people who are told|robots|at least so many",
    r"fall of the hit rate|secret that sessions|how long|least level|form of the|threads of each",
    r"that are believed|since the beginning|photos known|calls spared|saved in all|yuan per day",
    r"nothing to compare|makes? no calls to the model|must be known",
)


@pytest.fixture(scope="module")
def catalogue() -> dict[str, str]:
    """Chinese by English, without the forms of the same sentence for other numbers."""
    found = gettext.translation("django", settings.LOCALE_PATHS[0], ["zh_Hans"])
    assert isinstance(found, gettext.GNUTranslations)
    pairs = found._catalog.items()  # type: ignore[attr-defined]
    return {key if isinstance(key, str) else key[0]: text for key, text in pairs if key}


@pytest.mark.parametrize("word", CHINESE)
def test_chinese_has_one_word_for_one_thing(catalogue: dict[str, str], word: str) -> None:
    assert [text for text in catalogue.values() if word in text] == []


def test_no_label_is_one_of_the_words_that_were_replaced(catalogue: dict[str, str]) -> None:
    assert CHINESE_WHOLE & set(catalogue.values()) == set()


@pytest.mark.parametrize("words", ENGLISH)
def test_english_reads_as_it_is_spoken(catalogue: dict[str, str], words: str) -> None:
    assert [text for text in catalogue if re.search(rf"\b(?:{words})\b", text, re.I)] == []


def test_chinese_is_written_with_chinese_marks(catalogue: dict[str, str]) -> None:
    """No half-width comma, colon or question mark after a Chinese character."""
    found = [text for text in catalogue.values() if re.search(r"[\u4e00-\u9fff][,:;?!]", text)]
    assert found == []
