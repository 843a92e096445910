"""The settings in effect and where each is set, for the settings page."""

from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from classification.staff.setting_descriptions import GROUPS, Description
from core.configuration.addresses import without_password

SECRET_TAIL = 4
SECRETS = {"LLM_API_KEY", "LLM_FALLBACK_API_KEY", "SECRET_KEY", "METRICS_TOKEN"}
ADDRESSES = {
    *("DATABASE_URL", "STATS_DATABASE_URL", "CACHE_URL", "EMAIL_URL"),
    *("LLM_BASE_URL", "LLM_FALLBACK_BASE_URL"),
}
# Without effect while the on-device model is the provider.
OF_A_REMOTE_PROVIDER = {"LLM_MODEL", "LLM_FALLBACK_MODELS", "LLM_BASE_URL"}


class Setting(NamedTuple):
    """`value` is for display, and `code` is the value as written in .env if that differs; `source`
    is "environment", ".env" or "default"."""

    name: str
    description: Description
    value: str | Promise
    code: str
    source: str


class SettingGroup(NamedTuple):
    slug: str
    title: Promise
    settings: list[Setting]


def setting_groups() -> list[SettingGroup]:
    """The settings in effect, in the groups of the page."""
    return [
        SettingGroup(group.slug, group.title, [_setting(*item) for item in group.settings.items()])
        for group in GROUPS
    ]


def _setting(name: str, description: Description) -> Setting:
    value = getattr(settings, name)
    if name in SECRETS:
        shown = _masked(name, value)
    elif name in ADDRESSES:
        shown = without_password(value)
    else:
        shown = _written(value)
    words = description.words.get(shown)
    if shown and name in OF_A_REMOTE_PROVIDER and settings.LLM_PROVIDER == "local":
        words = _("not in use")
    source = settings.SETTING_SOURCE(name)
    return Setting(name, description, words or shown or "–", shown if words else "", source)


def _masked(name: str, secret: str) -> str:
    if not secret:
        return gettext("not set")
    # The tail helps to compare an API key with the provider's console. Four characters would be
    # most of a short secret, and the signing key is listed nowhere else.
    if len(secret) < SECRET_TAIL * 4 or name == "SECRET_KEY":
        return gettext("set")
    return gettext("set, ends in …%(tail)s") % {"tail": secret[-SECRET_TAIL:]}


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
    """The prices of LLM_PRICES that apply now, in yuan per million tokens."""
    prices, now = settings.LLM_PRICES, timezone.now()
    found = {model: prices.price(model, now) for model in prices.own}
    return "; ".join(
        f"{model} {price.input} / {price.output}" for model, price in found.items() if price
    )
