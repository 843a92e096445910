"""The table of models: its facts, its life cycle, and an operator's file over it."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from classification.providers.model_table.reading import read_table

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEFORE = datetime(2026, 10, 9, 23, 59, 59, tzinfo=SHANGHAI)
AFTER = datetime(2026, 10, 10, tzinfo=SHANGHAI)
A_MODEL = """
["mine"]
vendor = "aliyun"
pixels_per_token = 1024
thinks = false
structured_output = "json_schema"
source = "the vendor's page"
checked = 2026-12-01
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "models.toml"


def test_the_default_is_a_living_model_of_known_price() -> None:
    table = read_table()
    facts = table.models[table.default("aliyun")]

    assert facts.retired is None
    assert facts.prices
    assert table.default("nobody") == ""


def test_a_retired_model_is_asked_until_its_day_and_its_successor_from_then_on() -> None:
    table = read_table()

    assert table.in_service("qwen-vl-plus", BEFORE) == "qwen-vl-plus"
    assert table.in_service("qwen-vl-plus", AFTER) == "qwen3-vl-plus"
    assert not table.replacements(["qwen-vl-plus", "a-model"], BEFORE)
    (replacement,) = table.replacements(["qwen-vl-plus", "a-model"], AFTER)
    assert (
        str(replacement) == "qwen-vl-plus was retired on 2026-10-10; qwen3-vl-plus is used instead"
    )


def test_candidates_are_what_is_named_and_then_the_successors_each_once() -> None:
    table = read_table()

    assert table.candidates(["qwen-vl-plus", "qwen3-vl-plus", "a-model"], AFTER) == [
        "qwen3-vl-plus",
        "a-model",
        "qwen3.6-plus",
        "qwen3.7-plus",
    ]


def test_every_fact_of_the_table_has_its_source_and_day() -> None:
    facts = read_table().models.values()

    assert all(model.source and model.checked for model in facts)
    assert all(price.source and price.checked for model in facts for price in model.prices)


def test_a_file_of_the_operators_corrects_and_adds(file: Path) -> None:
    file.write_text(
        f"""{A_MODEL}
        default = true
        ["qwen3-vl-plus"]
        retired = 2027-01-01
        successor = "mine"
        """
    )
    table = read_table(file)

    assert table.default("aliyun") == "mine"
    assert table.models["qwen3-vl-plus"].prices == read_table().models["qwen3-vl-plus"].prices
    new_year = datetime(2027, 1, 1, tzinfo=SHANGHAI)
    assert table.in_service("qwen-vl-plus", new_year) == "mine"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('["mine"]\nvendor = "aliyun"', "mine lacks pixels_per_token"),
        (A_MODEL + "colour = 1", "mine has no field colour"),
        (A_MODEL + "retired = 2027-01-01", "mine is retired on a day, and needs a successor"),
        (A_MODEL + 'successor = "nobody"', "mine: the successor nobody has no facts"),
        (A_MODEL + 'successor = "mine"', "mine: its successors lead back to mine"),
        (A_MODEL + "prices = [{ input = 1, output = 2 }]", "mine's price lacks source, checked"),
        (
            A_MODEL + 'prices = [{ input = -1, output = 2, source = "s", checked = 2026-12-01 }]',
            "mine: input must be a price",
        ),
        (A_MODEL.replace("1024", '"many"'), "mine: pixels_per_token must be of type int"),
        (A_MODEL.replace("json_schema", "xml"), "mine: structured_output is one of"),
        ("mine = 1", "mine is no table of facts"),
        ("[", "(Invalid|Expected)"),
    ],
)
def test_a_wrong_file_is_refused_in_a_sentence(file: Path, text: str, sentence: str) -> None:
    file.write_text(text)

    with pytest.raises(ValueError, match=sentence):
        read_table(file)
