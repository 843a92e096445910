"""Prices of the fake DashScope server's answers."""

from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from classification.billing.prices import PriceTable
from classification.providers.model_table.table import ModelTable

# No price of any model is known: a call costs a fen.
A_FEN_A_CALL = PriceTable({}, ModelTable({}), Decimal("0.01"))


def answer_cost() -> Decimal:
    """Yuan of one of its answers, by the default model's price."""
    return settings.LLM_PRICES.cost(settings.LLM_MODEL, timezone.now(), 800, 40).yuan
