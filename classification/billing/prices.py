"""The price of a model call in yuan: from LLM_PRICES, else from the model table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured
from django.utils.dateparse import parse_date, parse_datetime

from classification.providers.model_table.table import ModelTable, Price

MILLION = Decimal(1_000_000)
MICRO_YUAN = Decimal("0.000001")
# The fewest pixels per token of any model, for those that are not in the table.
PIXELS_PER_TOKEN = 28 * 28
# Allowance for tokens around the prompt.
OTHER_TOKENS = 256


class Cost(NamedTuple):
    """Yuan, to a millionth; an estimate unless all tokens and their prices are known."""

    yuan: Decimal
    is_exact: bool


@dataclass(frozen=True, slots=True)
class PriceTable:
    """An operator's own prices by model, latest first; those of the model table; and `per_call`,
    the yuan per call of models without a known price."""

    own: Mapping[str, tuple[Price, ...]]
    models: ModelTable
    per_call: Decimal

    @classmethod
    def parse(
        cls, value: Any, per_call: Decimal, time_zone: str, models: ModelTable
    ) -> "PriceTable":
        """Build the table from the JSON of LLM_PRICES, which takes precedence over `models`; a date
        without a time means local midnight.

        Raises ImproperlyConfigured naming LLM_PRICES.
        """
        try:
            zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ImproperlyConfigured(f"TIME_ZONE {time_zone!r} is not a time zone.") from None
        try:
            own = {} if value is None else dict(value)
            if value is not None and not own:
                raise ValueError("it names no model")
            return cls({model: _prices(own[model], zone) for model in own}, models, per_call)
        except (KeyError, TypeError, ValueError, InvalidOperation) as error:
            raise ImproperlyConfigured(
                'LLM_PRICES must look like {"qwen3-vl-plus": {"input": 1, "cached_input": 0.2, '
                f'"output": 10}}}}, or have a list of such with "from" per model: {error}.'
            ) from None

    def price(self, model: str, when: datetime) -> Price | None:
        """The price that applies at the aware time `when`, if it is known."""
        facts = self.models.get(model)
        prices = (*self.own.get(model, ()), *(facts.prices if facts else ()))
        return next((p for p in prices if p.start is None or p.start <= when), None)

    def cost(
        self,
        model: str,
        when: datetime,
        input_tokens: int | None,
        output_tokens: int | None,
        cached_tokens: int | None = None,
    ) -> Cost:
        """The cost of a call at the aware time `when`; `cached_tokens` are part of the input
        tokens."""
        price = self.price(model, when)
        if price and price.is_free:
            return Cost(Decimal(0), is_exact=True)
        if price is None or input_tokens is None or output_tokens is None:
            return Cost(self.per_call, is_exact=False)
        cached = min(cached_tokens or 0, input_tokens)
        cached_price = price.input if price.cached_input is None else price.cached_input
        total = (
            price.input * (input_tokens - cached)
            + cached_price * cached
            + price.output * output_tokens
        )
        is_exact = not cached or price.cached_input is not None
        return Cost((total / MILLION).quantize(MICRO_YUAN), is_exact)

    def max_cost(
        self, model: str, when: datetime, *, pixels: int, prompt: str, output_tokens: int
    ) -> Decimal:
        """The maximum cost of one call, in yuan, about a photo of up to so many pixels."""
        facts = self.models.get(model)
        image_tokens = pixels // (facts.pixels_per_token if facts else PIXELS_PER_TOKEN)
        # A token is at least one byte of the prompt.
        input_tokens = image_tokens + len(prompt.encode()) + OTHER_TOKENS
        by_tokens = self.cost(model, when, input_tokens, output_tokens)
        # A call whose tokens are never known costs a fixed price.
        return max(by_tokens.yuan, self.cost(model, when, None, None).yuan)


def _prices(value: Any, zone: ZoneInfo) -> tuple[Price, ...]:
    rows = [_price(row, zone) for row in (value if isinstance(value, list) else [value])]
    if not rows:
        raise ValueError("a list of prices is empty")
    earliest = datetime.min.replace(tzinfo=ZoneInfo("UTC"))
    return tuple(sorted(rows, key=lambda price: price.start or earliest, reverse=True))


def _price(row: Any, zone: ZoneInfo) -> Price:
    if unknown := set(row) - {"input", "cached_input", "output", "from"}:
        raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
    return Price(
        input=_yuan(row["input"]),
        output=_yuan(row["output"]),
        start=_time(row["from"], zone) if "from" in row else None,
        cached_input=_yuan(row["cached_input"]) if "cached_input" in row else None,
        source="LLM_PRICES",
    )


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
