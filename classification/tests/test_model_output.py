import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.categories import KEYS
from classification.model_output import Classification, UnreadableAnswer, read_classification

GOOD = {"category": "pets", "confidence": 0.9, "description": "一只猫"}
CAT = Classification("pets", 0.9, "一只猫")


def answer(**changes: Any) -> str:
    return json.dumps(GOOD | changes, ensure_ascii=False)


# What models said, and what each means.
READABLE = {
    "alone": answer(),
    "in a fence": f"```json\n{answer()}\n```",
    "in a fence without a language": f"```\n{answer()}\n```",
    "within prose": f"图片里是一只猫。\n{answer()}\n希望有帮助！",
    "after braces in prose": f"用 {{}} 表示：{answer()}",
    "said twice": f"{answer()}\n{answer()}",
    "in a box": f"<|begin_of_box|>{answer()}<|end_of_box|>",
    "with other fields": answer(note={"category_of": "nothing"}),
    "with its second choice": answer(others=[{"category": "foods", "confidence": 0.1}]),
    "after thoughts": f"<think>Food? {answer(category='foods')}</think>\n{answer()}",
    "after thoughts that a template opened": f"It is {{not}} a dog.\n</think>\n\n{answer()}",
    "after thoughts in capitals": f"<THINK>{answer(category='foods')}</THINK>{answer()}",
    "after long thoughts": f"<think>{'{嗯}' * 50_000}</think>{answer()}",
    "after a draft with less confidence": f"{answer(confidence=0.5)}\n{answer()}",
    "after a draft that it takes back": f"{answer(category='foods')}\n不对。最终答案：{answer()}",
    "after a draft that it corrects": f"{answer(category='foods')}\nFinal answer: {answer()}",
    "in single quotes": "{'category': 'pets', 'confidence': 0.9, 'description': '一只猫'}",
    "with a trailing comma": '{"category": "pets", "confidence": 0.9, "description": "一只猫",}',
    "full-width": "｛“category”：“pets”，“confidence”：０.９，“description”：“一只猫”｝".replace(
        "０.９", "“０.９”"
    ),
    "full-width marks only": '{"category"："pets"，"confidence"：0.9，"description"："一只猫"}',
    "quotes of a word processor": "{“category”: “pets”, “confidence”: 0.9, "
    "“description”: “一只猫”}",
    "without quotes": "{category: pets, confidence: 0.9, description: 一只猫}",
    "with comments": '{"category": "pets", // 猫\n"confidence": 0.9, /* ! */ '
    '"description": "一只猫"}',
    "over several lines": json.dumps(GOOD, indent=2),
    "escaped": answer().replace('"', '\\"'),
    "escaped with line breaks": '{\\n\\"category\\": \\"pets\\", \\"confidence\\": 0.9, '
    '\\"description\\": \\"一只猫\\"\\n}',
    "a JSON string": json.dumps(answer()),
    "a JSON string in an object": json.dumps({"answer": answer()}),
    "in a list": f"[{answer()}]",
    "in a wrapper": f'{{"result": {answer()}}}',
    "in two wrappers": f'{{"data": {{"predictions": [{answer()}]}}}}',
    "keys in capitals": '{"CATEGORY": "pets", "Confidence": 0.9, "Description": "一只猫"}',
    "keys in Chinese": '{"类别": "宠物萌照", "置信度": 0.9, "描述": "一只猫"}',
    "the same value twice": '{"category": "pets", "confidence": 0.9, "category": "pets", '
    '"description": "一只猫"}',
    "category in capitals": answer(category="PETS "),
    "category in Chinese": answer(category="宠物萌照"),
    "category in English": answer(category="Pet Photos"),
    "category in both": answer(category="pets (宠物萌照)"),
    "category in all three": answer(category="宠物萌照 / Pet Photos / pets"),
    "category in the singular": answer(category="Pet"),
    "category in a list": answer(category=["pets"]),
    "category in quotes of its own": answer(category="“pets”。"),
    "confidence as text": answer(confidence=" 0.90 "),
    "confidence as percent": answer(confidence="90%"),
    "confidence as full-width percent": answer(confidence="９０％"),
    "confidence as percent without quotes": '{"category": "pets", "confidence": 90%, '
    '"description": "一只猫"}',
    "confidence in a list": answer(confidence=[0.9]),
    "description in a list": answer(description=["一只猫"]),
}


@pytest.mark.parametrize("name", READABLE)
def test_an_answer_is_read_as_a_person_reads_it(name: str) -> None:
    assert read_classification(READABLE[name]) == CAT


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("social-activities", "social_activities"),
        ("Social Activity", "social_activities"),
        ("single person", "single_person"),
        ("SinglePerson", "single_person"),
        ("food", "foods"),
        ("美食记录（foods）", "foods"),
        ("Travel Scenery", "travel_scenery"),
        ("screenshots", "screenshot"),
        ("手机截图", "screenshot"),
        ("ID Card", "idcard"),
        ("id_card", "idcard"),
        ("其他", "other"),
        ("Other Images", "other"),
    ],
)
def test_a_category_is_known_by_each_of_its_names(said: str, key: str) -> None:
    assert read_classification(answer(category=said)).category == key


@pytest.mark.parametrize(
    ("text", "description"),
    [
        (answer(description=2), "2"),
        (answer(description=["a cat", "a sofa"]), "a cat, a sofa"),
        (answer(description=["一只猫", "沙发"]), "一只猫，沙发"),
        (answer(description="他说：“好，走吧”"), "他说：“好，走吧”"),
        ('{"category": "pets", "confidence": 0.9, "description": "a\ncat"}', "a\ncat"),
        ('{"category": "pets", "confidence": 0.9, "description": "a "good" cat"}', 'a "good" cat'),
        ("{'category': 'pets', 'confidence': 0.9, 'description': 'it's a cat'}", "it's a cat"),
        ('{"category": "pets", "confidence": 0.9, "description": "\\ud83d\\ude00"}', "😀"),
    ],
)
def test_a_description_is_read_as_a_person_reads_it(text: str, description: str) -> None:
    assert read_classification(text).description == description


# What two people could read differently, or what no verdict is.
UNREADABLE = {
    "nothing": "",
    "a bare word": "pets",
    "an empty object": "{}",
    "an empty list": "[]",
    "a list of words": '["pets"]',
    "thoughts that never end": f"<think>It is a cat. {answer()}",
    "thoughts only": f"<think>{answer()}</think>",
    "cut off in its number": '{"category": "pets", "confidence": 0.9',
    "cut off after a second choice": '{"category": "pets", "confidence": 0.9, "others": '
    '[{"category": "foods", "confidence": 0.1}]',
    "two categories": answer() + answer(category="foods"),
    "two categories in a list": f"[{answer()}, {answer(category='foods')}]",
    "two categories in one value": answer(category="pets/foods"),
    "two categories in a list of words": answer(category=["pets", "foods"]),
    "two categories by one name": '{"category": "pets", "confidence": 0.9, "category": "foods"}',
    "two categories by two names": '{"category": "pets", "confidence": 0.9, "类别": "美食记录"}',
    "a category and a doubt": answer(category="pets or foods"),
    "a category that is denied": answer(category="not pets"),
    "a category within a word": answer(category="spets"),
    "none of the eight": answer(category="dogs"),
    "two of which one is none of the eight": answer(category="pets, animals"),
    "a draft that is none of the eight": answer(category="dogs") + answer(),
    "no category": answer(category=None),
    "a number as category": answer(category=2),
    "no confidence": json.dumps({"category": "pets"}),
    "two confidences": '{"category": "pets", "confidence": 0.9, "confidence": 0.1}',
    "confidence null": answer(confidence=None),
    "confidence above one": answer(confidence=1.5),
    "confidence above one without a percent sign": answer(confidence=90),
    "confidence above a hundred percent": answer(confidence="150%"),
    "confidence below nought": answer(confidence=-0.1),
    "confidence in words": answer(confidence="high"),
    "confidence true": answer(confidence=True),
    "confidence not a number": answer(confidence=float("nan")),
    "confidence infinite": answer(confidence=float("inf")),
    "description an object": answer(description={"zh": "一只猫"}),
    "a quote that closes too early": '{"category": "pets, "confidence": 0.9}',
    "deep lists": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "braces without end": "{" * 190,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_anything_else_is_a_failed_answer(name: str) -> None:
    with pytest.raises(UnreadableAnswer):
        read_classification(UNREADABLE[name])


def test_a_long_description_is_cut() -> None:
    found = read_classification(answer(description="猫" * 500))

    assert found.description == "猫" * 200


@pytest.mark.parametrize("description", ["", "   ", None])
def test_an_empty_description_is_none(description: str | None) -> None:
    assert read_classification(answer(description=description)).description is None


def test_what_no_column_can_hold_is_taken_out_of_a_description() -> None:
    text = '{"category": "pets", "confidence": 1, "description": "a\\u0000b\\ud800c"}'

    assert read_classification(text).description == "abc"


def test_a_card_has_no_description() -> None:
    found = read_classification(answer(category="idcard", description="张三 110101199003070000"))

    assert found == Classification("idcard", 0.9, None)


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(str))
def test_any_text_ends_in_a_classification_or_a_failure(text: str) -> None:
    try:
        found = read_classification(text)
    except UnreadableAnswer:
        return
    assert found.category in KEYS


@given(
    category=st.sampled_from(sorted(KEYS - {"idcard"})),
    confidence=st.floats(0, 1),
    description=st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200
    ),
    prose=st.text(st.characters(exclude_characters="{}[")),
)
def test_every_good_verdict_is_read_whatever_stands_around_it(
    category: str, confidence: float, description: str, prose: str
) -> None:
    verdict = {"category": category, "confidence": confidence, "description": description}
    found = read_classification(prose + json.dumps(verdict) + prose)

    assert found.category == category
    assert found.confidence == pytest.approx(confidence, abs=1e-4)
    assert found.description == (description.strip() or None)
