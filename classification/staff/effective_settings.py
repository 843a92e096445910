"""The settings in force and where each came from, for staff to read."""

from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from classification.staff.described_settings import GROUPS, Described
from core.configuration.addresses import without_password

SECRET_TAIL = 4
SECRETS = {"LLM_API_KEY", "LLM_FALLBACK_API_KEY", "SECRET_KEY", "METRICS_TOKEN"}
ADDRESSES = {
    *("DATABASE_URL", "STATS_DATABASE_URL", "CACHE_URL", "EMAIL_URL"),
    *("LLM_BASE_URL", "LLM_FALLBACK_BASE_URL"),
}


# Of no effect while the on-device model is the provider.
OF_A_PROVIDER = {"LLM_MODEL", "LLM_FALLBACK_MODELS", "LLM_BASE_URL"}


class Setting(NamedTuple):
    """`value` is in staff's words, `code` as written in .env where the words differ, and `source`
    is environment, .env or default."""

    name: str
    described: Described
    value: str | Promise
    code: str
    source: str


class Subject(NamedTuple):
    slug: str
    title: Promise
    settings: list[Setting]


def subjects() -> list[Subject]:
    """The settings by subject."""
    return [
        Subject(group.slug, group.title, [_setting(*item) for item in group.settings.items()])
        for group in GROUPS
    ]


def _setting(name: str, described: Described) -> Setting:
    value = getattr(settings, name)
    if name in SECRETS:
        shown = _masked(name, value)
    elif name in ADDRESSES:
        shown = without_password(value)
    else:
        shown = _written(value)
    words = described.words.get(shown)
    if shown and name in OF_A_PROVIDER and settings.LLM_PROVIDER == "local":
        words = _("not in use")
    source = settings.SETTING_SOURCE(name)
    return Setting(name, described, words or shown or "–", shown if words else "", source)


def _masked(name: str, secret: str) -> str:
    if not secret:
        return gettext("not set")
    # Of a short secret, four characters would be most of it; and a signing key is nowhere to be
    # compared with.
    is_told = len(secret) >= SECRET_TAIL * 4 and name != "SECRET_KEY"
    tail = secret[-SECRET_TAIL:] if is_told else ""
    return gettext("set, ends in …%(tail)s") % {"tail": tail} if tail else gettext("set")


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if value == settings.LLM_PRICES:
        return _prices()
    return str(value)


def _prices() -> str:
    """An operator's own prices in yuan per million tokens, as they are now."""
    prices, now = settings.LLM_PRICES, timezone.now()
    found = {model: prices.price(model, now) for model in prices.own}
    return "; ".join(
        f"{model} {price.input} / {price.output}" for model, price in found.items() if price
    )
