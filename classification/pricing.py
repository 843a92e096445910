"""What a model call costs: a dated price table, in yuan."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured
from django.utils.dateparse import parse_date, parse_datetime

MILLION = Decimal(1_000_000)
MICRO_YUAN = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Price:
    """Yuan per million tokens, in force from `start` (None: from the beginning)."""

    input: Decimal
    output: Decimal
    start: datetime | None


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The prices by model, latest first, and the yuan per call where none is known."""

    by_model: Mapping[str, tuple[Price, ...]]
    per_call: Decimal

    @classmethod
    def parse(cls, value: Any, per_call: Decimal, time_zone: str) -> "PriceTable":
        """The table from LLM_PRICES' JSON; a date without a time begins at local midnight.

        Raises ImproperlyConfigured naming LLM_PRICES.
        """
        try:
            zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ImproperlyConfigured(f"TIME_ZONE {time_zone!r} is not a time zone.") from None
        try:
            models = dict(value or {})
            return cls({model: _prices(models[model], zone) for model in models}, per_call)
        except (KeyError, TypeError, ValueError, InvalidOperation) as error:
            raise ImproperlyConfigured(
                'LLM_PRICES must look like {"qwen-vl-plus": {"input": 0.8, "output": 2.0}}, or '
                f'have a list of such with "from" per model: {error}.'
            ) from None

    def cost(
        self, model: str, when: datetime, input_tokens: int | None, output_tokens: int | None
    ) -> Decimal:
        """Yuan for one call at the aware time `when`, to a millionth."""
        price = next(
            (p for p in self.by_model.get(model, ()) if p.start is None or p.start <= when), None
        )
        if price is None or input_tokens is None or output_tokens is None:
            return self.per_call
        total = (price.input * input_tokens + price.output * output_tokens) / MILLION
        return total.quantize(MICRO_YUAN)


def _prices(value: Any, zone: ZoneInfo) -> tuple[Price, ...]:
    rows = [_price(row, zone) for row in (value if isinstance(value, list) else [value])]
    earliest = datetime.min.replace(tzinfo=ZoneInfo("UTC"))
    return tuple(sorted(rows, key=lambda price: price.start or earliest, reverse=True))


def _price(row: Any, zone: ZoneInfo) -> Price:
    if unknown := set(row) - {"input", "output", "from"}:
        raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
    start = _time(row["from"], zone) if "from" in row else None
    return Price(_yuan(row["input"]), _yuan(row["output"]), start)


def _time(text: str, zone: ZoneInfo) -> datetime:
    """An aware time; local where the text names no offset, midnight where it names no time."""
    time = parse_datetime(text)
    if time is None and (date := parse_date(text)):
        time = datetime(date.year, date.month, date.day)
    if time is None:
        raise ValueError(f"{text} is not a date or time")
    return time if time.tzinfo else time.replace(tzinfo=zone)


def _yuan(value: Any) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{value} is not a price")
    return amount
