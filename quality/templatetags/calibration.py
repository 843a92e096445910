"""Shows the measured meaning of a confidence next to it."""

from typing import Any

from django import template

from classification.models import CacheEntry
from quality.evaluation.calibration import Bin, Calibration, live_calibration

register = template.Library()


@register.inclusion_tag("quality/meaning.html")
def what_confidence_meant(entry: CacheEntry | None) -> dict[str, Any]:
    """How often answers with this entry's confidence were right, if that was measured."""
    return {"bin": bin_of(live_calibration(), entry) if entry else None}


@register.filter
def bin_of(calibration: Calibration | None, entry: CacheEntry) -> Bin | None:
    """The bin of an entry's confidence, where many entries share one calibration."""
    return calibration.bin_of(entry) if calibration else None
