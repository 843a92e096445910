"""How figures are written on the pages."""

from decimal import Decimal

from django import template
from django.utils.translation import gettext as _

from classification.categories import BY_KEY
from classification.errors import ERRORS
from classifier_project import __version__

register = template.Library()

# Below this many yuan, two decimals say too little: one call costs a fraction of a fen.
SMALL_YUAN = Decimal(1)


@register.simple_tag
def version() -> str:
    """The version of the service."""
    return __version__


@register.filter
def number(value: int | None) -> str:
    """1234567 as 1,234,567; a dash for nothing known."""
    return "–" if value is None else f"{value:,}"


@register.filter
def yuan(value: Decimal | float | None) -> str:
    """An amount of money: ¥1,234.50, and ¥0.0123 for a small one."""
    if value is None:
        return "–"
    amount = Decimal(str(value))
    digits = 4 if amount and abs(amount) < SMALL_YUAN else 2
    return f"¥{amount:,.{digits}f}"


@register.filter
def percent(value: Decimal | float | str | None) -> str:
    """0.953 as 95.3%; a dash for nothing, which a template may write as an empty string."""
    return "–" if value is None or value == "" else f"{float(value):.1%}"


@register.filter
def milliseconds(value: float | None) -> str:
    """840 ms, or 1.25 s from a second on."""
    if value is None:
        return "–"
    return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"


@register.filter
def category_name(key: str) -> str:
    """The name of a category in the language in use; what is none stays as it is."""
    return BY_KEY[key].name if key in BY_KEY else key


@register.filter
def error_sentence(code: str) -> str:
    """What an error code means, for a person; what is none stays as it is."""
    return str(ERRORS[code][1]) if code in ERRORS else code


@register.filter
def outcome_name(outcome: str) -> str:
    """What became of a request or a call, for a person."""
    return _("answered") if outcome == "ok" else error_sentence(outcome)
