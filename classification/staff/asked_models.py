"""The models that photos are sent to, and what a call to each costs, for staff to read."""

from typing import NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise

from classification.choices import PROVIDERS
from classification.providers import registry
from classification.providers.model_table.table import ModelFacts, Price


class AskedModel(NamedTuple):
    """A model in the order they are asked, and its provider; `price` is None where calls have
    one estimated price, `days_old` the age of the price."""

    provider: Promise
    name: str
    is_first: bool
    facts: ModelFacts | None
    price: Price | None
    days_old: int | None


def asked_models() -> list[AskedModel]:
    """The first of each provider is asked, the others while those before them are denied; none
    with the on-device model."""
    if settings.LLM_PROVIDER == "local":
        return []
    return [
        _asked_model(provider.name, name, is_first=number == 0)
        for provider in registry.configured()
        for number, name in enumerate(provider.models_today())
    ]


def _asked_model(provider: str, name: str, *, is_first: bool) -> AskedModel:
    price = settings.LLM_PRICES.price(name, timezone.now())
    checked = price.checked if price else None
    days_old = (timezone.localdate() - checked).days if checked else None
    return AskedModel(
        PROVIDERS[provider], name, is_first, settings.MODEL_TABLE.get(name), price, days_old
    )
