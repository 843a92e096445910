"""The models that photos are sent to and the prices of their calls, for the settings page."""

from typing import NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise

from classification.choices import PROVIDERS
from classification.providers import registry
from classification.providers.model_table.table import ModelFacts, Price


class AskedModel(NamedTuple):
    """A model and its provider. `is_first`: it is the first one asked of this provider; `price` is
    None if it is unknown, so that costs are estimates; `days_old` is the age of the price."""

    provider: Promise
    name: str
    is_first: bool
    facts: ModelFacts | None
    price: Price | None
    days_old: int | None


def asked_models() -> list[AskedModel]:
    """The models in the order they are asked: of each provider the first one, and the others only
    while those before them are denied. Empty with the on-device model."""
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
