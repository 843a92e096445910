"""Print the model table, and which models are in use."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone, translation

from classification.monitoring import retirements
from classification.providers import registry
from classification.providers.model_table.table import ModelFacts, Price
from classification.providers.registry import ProviderConfig


class Command(BaseCommand):
    help = (
        "Print the model table: the models in use, and the price, retirement, source and age of "
        "each model's facts. Override facts in LLM_MODELS_FILE, and prices in LLM_PRICES."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        providers = [] if settings.LLM_PROVIDER == "local" else registry.configured()
        asked = [name for provider in providers for name in provider.models_today()]
        self.stdout.write("\n".join(_in_use(providers)))
        with translation.override("en"):
            for notice in retirements.notices():
                self.stdout.write(notice.sentence)
        for name in _names(asked):
            self.stdout.write("\n" + "\n".join(_lines(name, asked[:1], now)))


def _names(asked: list[str]) -> list[str]:
    """All known names, starting with the models in use."""
    own = settings.LLM_PRICES.own
    return list(dict.fromkeys([*asked, *settings.MODEL_TABLE.models, *own]))


def _in_use(providers: Sequence[ProviderConfig]) -> Iterator[str]:
    if not providers:
        yield "None of these models is in use: the on-device model answers, or no key is set."
    for number, provider in enumerate(providers):
        first, *others = provider.models_today()
        then = f"; if that is denied, to {', then '.join(others)}" if others else ""
        when = "When the first provider cannot answer, photos" if number else "Photos"
        yield f"{when} are sent to {first} ({provider.name}){then}."


def _lines(name: str, first: list[str], now: datetime) -> Iterator[str]:
    facts, today = settings.MODEL_TABLE.get(name), timezone.localdate()
    yield f"{'*' if name in first else ' '} {name}{_tags(facts)}"
    yield f"    price     {_price(settings.LLM_PRICES.price(name, now), today)}"
    if facts is None:
        yield "    traits    not in the table"
        return
    thinking = "thinks unless told not to" if facts.thinks else "does not think"
    yield (
        f"    traits    {facts.pixels_per_token} pixels a token; {thinking}; "
        f"structured output: {facts.structured_output}"
    )
    yield f"    life      {_life(facts, now)}"
    yield f"    source    {facts.source}, {_age(facts.checked, today)}"


def _tags(facts: ModelFacts | None) -> str:
    if facts is None:
        return ""
    return f"  ({facts.vendor}{', default' if facts.default else ''})"


def _price(price: Price | None, today: date) -> str:
    if price is None:
        return f"unknown: {settings.COST_PER_API_CALL} yuan a call (COST_PER_API_CALL)"
    cached = "cached unknown" if price.cached_input is None else f"cached {price.cached_input}"
    since = f" since {timezone.localtime(price.start):%Y-%m-%d %H:%M}" if price.start else ""
    age = f", {_age(price.checked, today)}" if price.checked else ""
    return (
        f"{price.input} in ({cached}) / {price.output} out, yuan per million tokens{since}; "
        f"{price.source}{age}"
    )


def _life(facts: ModelFacts, now: datetime) -> str:
    successor = f"; then {facts.successor}" if facts.successor else ""
    if facts.retired is None:
        return f"no last day known{successor}"
    announced = f", announced on {facts.announced}" if facts.announced else ""
    tense = "retired on" if facts.is_retired(now) else "will be retired on"
    return f"{tense} {facts.retired}{announced}{successor}"


def _age(checked: date, today: date) -> str:
    days = (today - checked).days
    return f"looked up on {checked}, {days} day{'' if days == 1 else 's'} ago"
