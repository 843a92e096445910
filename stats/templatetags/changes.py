"""How a figure is compared with an earlier one."""

from decimal import Decimal
from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("dashboard/change.html")
def change(now: float | Decimal | None, before: float | Decimal | None, better: str) -> Any:
    """By how many percent a figure has grown or shrunk; `better` is more, less or neither."""
    if not before or now is None:
        return {"is_comparable": False}
    percent = 100 * (float(now) / float(before) - 1)
    is_more = percent > 0
    mood = "" if better == "neither" else "good" if is_more == (better == "more") else "bad"
    return {
        "is_comparable": True,
        "percent": abs(percent),
        "is_more": is_more,
        "is_same": abs(percent) < 0.05,
        "mood": mood,
    }
