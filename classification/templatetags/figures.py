"""Template filters that format figures."""

from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.utils.translation import gettext as _

from classification.categories import BY_KEY
from classification.choices import OK, PROVIDERS
from classification.errors import ERRORS
from core import __version__

register = template.Library()

# Below this, two decimals are too coarse: a call costs a fraction of a fen.
SMALL_YUAN = Decimal(1)


@register.simple_tag
def version() -> str:
    """The version of the service."""
    return __version__


@register.filter
def number(value: int | None) -> str:
    """1234567 as 1,234,567; a dash for None."""
    return "–" if value is None else f"{value:,}"


@register.filter
def yuan(value: Decimal | float | None) -> str:
    """An amount of money: ¥1,234.50, and ¥0.0123 for a small one."""
    if value is None:
        return "–"
    amount = Decimal(str(value))
    digits = 4 if amount and abs(amount) < SMALL_YUAN else 2
    # Rounds like browsers, so that a card and its chart show the same amount.
    return f"¥{amount.quantize(Decimal(10) ** -digits, ROUND_HALF_UP):,}"


@register.filter
def percent(value: Decimal | float | str | None) -> str:
    """0.953 as 95.3%; a dash for None or "", which templates produce for missing values."""
    return "–" if value is None or value == "" else f"{float(value):.1%}"


@register.filter
def milliseconds(value: float | None) -> str:
    """840 ms, or 1.25 s from one second up."""
    if value is None:
        return "–"
    return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"


@register.filter
def category_name(key: str) -> str:
    """The name of a category in the active language; any other text unchanged."""
    return BY_KEY[key].name if key in BY_KEY else key


@register.filter
def provider_name(name: str) -> str:
    """The display name of a provider; any other text unchanged."""
    return str(PROVIDERS.get(name, name))


@register.filter
def error_sentence(code: str) -> str:
    """The message of an error code; any other text unchanged."""
    return str(ERRORS[code][1]) if code in ERRORS else code


@register.filter
def outcome_name(outcome: str) -> str:
    """The outcome of a request or a call, as text."""
    return _("answered") if outcome == OK else error_sentence(outcome)
