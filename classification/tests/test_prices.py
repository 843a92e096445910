from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured

from classification.billing.prices import Cost, PriceTable
from classification.providers.model_table.reading import read_table
from classification.providers.model_table.table import ModelTable

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 12, 1, 12, tzinfo=SHANGHAI)
FLAT = Cost(Decimal("0.01"), is_exact=False)


def prices(value: Any = None, models: ModelTable | None = None) -> PriceTable:
    return PriceTable.parse(value, Decimal("0.01"), "Asia/Shanghai", models or read_table())


def exactly(yuan: str) -> Cost:
    return Cost(Decimal(yuan), is_exact=True)


def test_tokens_are_priced_by_the_table_of_models() -> None:
    assert prices().cost("qwen3-vl-plus", NOON, 1000, 100) == exactly("0.002")


def test_cached_tokens_have_a_price_of_their_own() -> None:
    assert prices().cost("qwen3-vl-plus", NOON, 1000, 100, 600) == exactly("0.00152")


def test_an_operators_prices_come_before_the_tables() -> None:
    own = {"qwen3-vl-plus": {"input": 2, "output": 20, "cached_input": 1}}

    assert prices(own).cost("qwen3-vl-plus", NOON, 1000, 100, 600) == exactly("0.0034")


def test_cached_tokens_of_unknown_price_cost_as_much_as_others_and_are_an_estimate() -> None:
    own = {"m": {"input": 2, "output": 20}}

    assert prices(own).cost("m", NOON, 1000, 100, 600) == Cost(Decimal("0.004"), is_exact=False)
    assert prices(own).cost("m", NOON, 1000, 100, 0) == exactly("0.004")


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("nobody-knows-it", (1000, 100)),
        ("qwen3.8-flash", (1000, 100)),  # its price in yuan is not known
        ("qwen3-vl-plus", (None, 100)),
        ("qwen3-vl-plus", (1000, None)),
    ],
)
def test_a_call_of_unknown_price_or_tokens_costs_a_flat_sum(
    model: str, tokens: tuple[int | None, int | None]
) -> None:
    assert prices().cost(model, NOON, *tokens) == FLAT


def test_a_model_of_ones_own_costs_nothing_whatever_it_tells() -> None:
    table = prices({"mine": {"input": 0, "output": 0}})

    assert table.cost("mine", NOON, None, None) == exactly("0")
    assert table.max_cost("mine", NOON, pixels=1024 * 1024, prompt="p", output_tokens=500) == 0


def test_a_price_is_in_force_from_its_time_on() -> None:
    table = prices(
        {
            "m": [
                {"input": 1, "output": 0},
                {"input": 2, "output": 0, "from": "2026-07-01"},
                {"input": 3, "output": 0, "from": "2026-07-01T12:00:00"},
            ]
        }
    )
    times = [(6, 30, 23, 59), (7, 1, 0, 0), (7, 1, 11, 59), (7, 1, 12, 0)]
    costs = [
        table.cost("m", datetime(2026, *time, tzinfo=SHANGHAI), 1_000_000, 0).yuan for time in times
    ]

    assert costs == [1, 2, 2, 3]


def test_until_an_operators_price_begins_the_tables_is_in_force() -> None:
    table = prices({"qwen3-vl-plus": {"input": 3, "output": 0, "from": "2026-12-01"}})
    before = datetime(2026, 11, 30, 23, 59, tzinfo=SHANGHAI)

    assert table.cost("qwen3-vl-plus", before, 1_000_000, 0).yuan == 1
    assert table.cost("qwen3-vl-plus", NOON, 1_000_000, 0).yuan == 3


def test_the_most_that_a_photo_can_cost_follows_the_models_pixels_per_token() -> None:
    def most(model: str) -> Decimal:
        table = PriceTable(prices().own, read_table(), per_call=Decimal(0))
        return table.max_cost(model, NOON, pixels=1024 * 1024, prompt="宠物", output_tokens=500)

    assert most("qwen3-vl-plus") == Decimal("0.006286")  # 1024 + 6 + 256 in, 500 out
    assert most("qwen-vl-plus") == Decimal("0.002279")  # 1337 + 6 + 256 in, 500 out


@pytest.mark.parametrize(
    "value",
    [
        3,
        {"m": 1},
        {"m": {"input": 1}},
        {"m": {"input": "x", "output": 1}},
        {"m": {"input": -1, "output": 1}},
        {"m": {"input": 1, "output": 1, "cached_input": "x"}},
        {"m": {"input": 1, "output": 1, "from": "soon"}},
        {"m": {"input": 1, "output": 1, "until": "2027-01-01"}},
    ],
)
def test_a_wrong_table_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="LLM_PRICES"):
        prices(value)
