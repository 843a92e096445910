import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.categories import KEYS
from classification.results import Classification, UnreadableAnswer, read_classification

GOOD = {"category": "pets", "confidence": 0.9, "description": "一只猫"}
CAT = Classification("pets", 0.9, "一只猫")


def answer(**changes: Any) -> str:
    return json.dumps(GOOD | changes, ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [
        answer(),
        f"```json\n{answer()}\n```",
        f"```\n{answer()}\n```",
        f"图片里是一只猫。\n{answer()}\n希望有帮助！",
        f"用 {{}} 表示：{answer()}",
        f"{answer()}\n{answer()}",
        answer(category="PETS "),
        answer(confidence="0.9"),
        answer(confidence=" 0.90 "),
        answer(note={"category_of": "nothing"}),
    ],
)
def test_a_verdict_is_found_alone_in_a_fence_or_in_prose(text: str) -> None:
    assert read_classification(text) == CAT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pets",
        "{}",
        "[]",
        '["pets"]',
        '{"category": "pets", "confidence": 0.9',
        answer(category="dogs"),
        answer(category=None),
        answer(category=["pets"]),
        answer(confidence=None),
        answer(confidence=1.5),
        answer(confidence=-0.1),
        answer(confidence="90%"),
        answer(confidence="high"),
        answer(confidence=True),
        answer(confidence=float("nan")),
        answer(confidence=float("inf")),
        answer(description=["a cat"]),
        json.dumps({"category": "pets"}),
        answer() + answer(category="foods"),
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_anything_else_is_a_failed_answer(text: str) -> None:
    with pytest.raises(UnreadableAnswer):
        read_classification(text)


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
