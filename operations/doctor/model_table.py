"""Examines the configured models in the model table: retirement and price."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone, translation

from classification.monitoring import retirements
from classification.providers import registry
from operations.doctor.findings import Finding, Options, ok, warning


def examine_model_table(options: Options) -> Iterator[Finding]:
    """Whether configured models are about to be retired, and have a known price."""
    if settings.LLM_PROVIDER == "local":
        return
    with translation.override("en"):
        notices = retirements.notices()
    for notice in notices:
        yield warning(
            "model", notice.sentence, "Set LLM_MODEL to it, or to another one: manage.py models."
        )
    for provider in registry.configured():
        yield _price(provider.models_today()[0])


def _price(model: str) -> Finding:
    now = timezone.now()
    price = settings.LLM_PRICES.price(model, now)
    if price is None:
        return warning(
            "price",
            f"The price of {model} is not known: each call counts as "
            f"{settings.COST_PER_API_CALL} yuan.",
            "Set LLM_PRICES, or add the model to LLM_MODELS_FILE.",
        )
    source = f"{price.source}, looked up on {price.checked}" if price.checked else price.source
    return ok(
        "price",
        f"{model}: {price.input} yuan per million tokens of input, {price.output} of output "
        f"({source}).",
    )
