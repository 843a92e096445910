"""Which cache entries are served to clients: the rule in Python for one entry, in SQL for counting.

A test compares the two over every combination of their inputs.
"""

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from classification.categories import KEYS
from classification.models import CacheEntry


def is_served(
    *,
    category: str,
    provider: str,
    prompt_version: int | None,
    is_corrected: bool,
    ask_again: bool,
    accepted_from: int,
) -> bool:
    """Whether an entry is served; `accepted_from` is the oldest prompt version whose answers are.

    Corrections always are. Answers of the on-device model are not while a paid model is configured,
    nor are answers to outdated prompts, nor those that staff marked to be asked again.
    """
    if category not in KEYS or ask_again:
        return False
    if is_corrected:
        return True
    if provider == "local":
        return settings.LLM_PROVIDER == "local"
    return (prompt_version or 0) >= accepted_from


def served_model_answers(accepted_from: int) -> QuerySet[CacheEntry]:
    """The paid models' uncorrected answers that are served, given the oldest accepted prompt
    version."""
    return (
        CacheEntry.objects.filter(category__in=KEYS, corrected_at=None, ask_again=False)
        .exclude(provider="local")
        .alias(answered_to=Coalesce("prompt_version", 0))
        .filter(answered_to__gte=accepted_from)
    )
