from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured

from classification.pricing import PriceTable

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 7, 1, 12, tzinfo=SHANGHAI)


def table(value: Any) -> PriceTable:
    return PriceTable.parse(value, Decimal("0.01"), "Asia/Shanghai")


def test_tokens_are_priced_per_million() -> None:
    prices = table({"qwen-vl-plus": {"input": 0.8, "output": 2.0}})

    assert prices.cost("qwen-vl-plus", NOON, 1000, 100) == Decimal("0.001")


@pytest.mark.parametrize(("model", "tokens"), [("qwen-vl-max", 1000), ("qwen-vl-plus", None)])
def test_a_call_of_unknown_price_or_tokens_costs_a_flat_sum(model: str, tokens: int | None) -> None:
    prices = table({"qwen-vl-plus": {"input": 0.8, "output": 2.0}})

    assert prices.cost(model, NOON, tokens, tokens) == Decimal("0.01")


def test_a_price_is_in_force_from_its_time_on() -> None:
    prices = table(
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
        prices.cost("m", datetime(2026, *time, tzinfo=SHANGHAI), 1_000_000, 0) for time in times
    ]

    assert costs == [1, 2, 2, 3]


@pytest.mark.parametrize(
    "value",
    [
        3,
        {"m": 1},
        {"m": {"input": 1}},
        {"m": {"input": "x", "output": 1}},
        {"m": {"input": -1, "output": 1}},
        {"m": {"input": 1, "output": 1, "from": "soon"}},
        {"m": {"input": 1, "output": 1, "until": "2027-01-01"}},
    ],
)
def test_a_wrong_table_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="LLM_PRICES"):
        table(value)
