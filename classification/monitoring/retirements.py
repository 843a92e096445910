"""Notices about configured models that were retired, or soon will be."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from classification.providers import registry
from classification.providers.model_table.table import Replacement, first_moment, vendor_day

# Days before a model's retirement at which staff are notified.
STAGES = (90, 30, 7)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice about a configured model, and since when it applies."""

    sentence: str
    since: datetime


def notices() -> list[Notice]:
    """Today's notices; none with the on-device model."""
    if settings.LLM_PROVIDER == "local":
        return []
    table, now = settings.MODEL_TABLE, timezone.now()
    names = [name for provider in registry.configured() for name in provider.models]
    replaced = [_replaced(replacement) for replacement in table.replacements(names, now)]
    days_left = {
        replacement: (replacement.retired - vendor_day(now)).days
        for replacement in table.retiring(names, now)
    }
    return replaced + [
        _retiring(replacement, days)
        for replacement, days in days_left.items()
        if days <= max(STAGES)
    ]


def _replaced(replacement: Replacement) -> Notice:
    sentence = _("%(model)s was retired on %(day)s; %(successor)s is used instead.") % {
        "model": replacement.name,
        "day": replacement.retired,
        "successor": replacement.successor,
    }
    return Notice(sentence, first_moment(replacement.retired))


def _retiring(replacement: Replacement, days: int) -> Notice:
    stage = min(stage for stage in STAGES if days <= stage)
    sentence = _(
        "%(model)s will be retired on %(day)s, %(days)s days from now, and its rate limits shrink "
        "until then; from that day on %(successor)s is used instead."
    ) % {
        "model": replacement.name,
        "day": replacement.retired,
        "days": days,
        "successor": replacement.successor,
    }
    return Notice(sentence, first_moment(replacement.retired - timedelta(days=stage)))
