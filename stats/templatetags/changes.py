"""Template tags that compare a figure with an earlier one."""

from decimal import Decimal
from typing import Any

from django import template

register = template.Library()

Number = float | Decimal | None
# A change below this rounds to nothing.
VISIBLE = 0.05
# From this factor on, the factor is shown instead of a percentage.
TIMES = 10


@register.inclusion_tag("dashboard/change.html")
def change(now: Number, before: Number, better: str) -> dict[str, Any]:
    """By how many percent a figure has grown or shrunk; `better` is more, less or neither."""
    if not before or now is None:
        return {"amount": None}
    times = float(now) / float(before)
    shown = _change(100 * (times - 1), better) | {"unit": "percent"}
    return shown | {"unit": "times", "amount": times} if times >= TIMES else shown


@register.inclusion_tag("dashboard/change.html")
def change_in_points(now: Number, before: Number, better: str) -> dict[str, Any]:
    """By how many percentage points a rate has grown or shrunk."""
    if before is None or now is None:
        return {"amount": None}
    return _change(float(now) - float(before), better) | {"unit": "points"}


def _change(amount: float, better: str) -> dict[str, Any]:
    is_more = amount > 0
    mood = "" if better == "neither" else "good" if is_more == (better == "more") else "bad"
    return {
        "amount": abs(amount),
        "is_more": is_more,
        "is_same": abs(amount) < VISIBLE,
        "mood": mood,
    }
