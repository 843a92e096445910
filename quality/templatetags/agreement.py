"""The agreement card of the dashboard."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import template

from quality.feedback import rates
from quality.models import Voter

register = template.Library()

CARD_ROWS = 6
CARD_DAYS = 30
BAR, HEIGHT = 4, 24  # pixels of a day's bar


@register.inclusion_tag("quality/agreement_card.html")
def agreement_card() -> dict[str, Any]:
    """The agreement of the last days by model and prompt version, by category, and as bars by day;
    hidden without votes."""
    first, last = rates.last_days(CARD_DAYS)
    rows = rates.rates(first, last, "model", "prompt_version")
    days = {row.key[0]: row for row in rates.rates(first, last, "day")}
    week, _ = rates.last_days(rates.RECENT)
    return {
        "rows": rows[:CARD_ROWS],
        "total": rates.total(rows),
        "categories": rates.rates(first, last, "category"),
        "recent": rates.total(row for day, row in days.items() if day >= week),
        "recent_days": rates.RECENT,
        "days": CARD_DAYS,
        "bars": [_bars(first, days, voter) for voter in Voter],
        "width": BAR * CARD_DAYS,
        "height": HEIGHT,
    }


def _bars(first: date, days: Mapping[date, rates.Row], voter: Voter) -> str:
    """The SVG path of one bar per day with votes, whose height is the rate."""
    bars = []
    for number in range(CARD_DAYS):
        row = days.get(first + timedelta(days=number))
        rate = row.by_voter[voter].rate if row else None
        if rate is not None:
            height = max(round(rate * HEIGHT, 1), 0.5)  # a rate of zero stays visible
            bars.append(f"M{number * BAR} {HEIGHT}v-{height}h{BAR - 1}v{height}z")
    return "".join(bars)
