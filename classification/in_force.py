"""The settings in force and where each came from, for staff to read."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SECRET_TAIL = 4
GROUPS: Sequence[tuple[str | Promise, Sequence[str]]] = (
    (
        gettext_lazy("Model"),
        (
            "LLM_PROVIDER",
            "LLM_MODEL",
            "LLM_FALLBACK_MODELS",
            "LLM_API_KEY",
            "LLM_BASE_URL",
            "LLM_TIMEOUT",
            "LLM_MAX_TOKENS",
            "LLM_MAX_CONCURRENCY",
            "ON_MODEL_FAILURE",
        ),
    ),
    (
        gettext_lazy("Photos and cache"),
        (
            "MAX_IMAGE_SIZE_MB",
            "ALLOWED_IMAGE_FORMATS",
            "LLM_IMAGE_MAX_SIDE",
            "CACHE_MIN_CONFIDENCE",
        ),
    ),
    (gettext_lazy("Cost"), ("COST_PER_API_CALL", "LLM_PRICES", "DAILY_COST_LIMIT")),
    (
        gettext_lazy("Alerts"),
        (
            "ALERT_EMAILS",
            "EMAIL_URL",
            "ALERT_WEBHOOKS",
            "ALERT_DAILY_COST",
            "ALERT_FAILURE_RATE",
            "ALERT_WINDOW_MINUTES",
            "ALERT_MIN_REQUESTS",
            "ALERT_HIT_RATE_FALL",
        ),
    ),
    (
        gettext_lazy("Service"),
        (
            "DATABASE_URL",
            "CACHE_URL",
            "SECRET_KEY",
            "ENABLE_REQUEST_LOG",
            "LOG_RETENTION_DAYS",
            "LOG_LEVEL",
            "LOG_FORMAT",
            "METRICS_TOKEN",
            "WEB_WORKERS",
            "WEB_THREADS",
            "TRUSTED_PROXIES",
            "TIME_ZONE",
            "LANGUAGE_CODE",
        ),
    ),
)
SECRETS = {"LLM_API_KEY", "SECRET_KEY", "METRICS_TOKEN"}
ADDRESSES = {"DATABASE_URL", "CACHE_URL", "LLM_BASE_URL", "EMAIL_URL"}


class Setting(NamedTuple):
    """`source` is environment, .env or default."""

    name: str
    value: str
    source: str


def groups() -> list[tuple[str | Promise, list[Setting]]]:
    """The settings by subject."""
    return [(title, [_setting(name) for name in names]) for title, names in GROUPS]


def _setting(name: str) -> Setting:
    value = getattr(settings, name)
    if name in SECRETS:
        shown = _masked(value)
    elif name in ADDRESSES:
        shown = without_password(value)
    else:
        shown = _written(value)
    return Setting(name, shown or "–", settings.SETTING_SOURCE(name))


def _masked(secret: str) -> str:
    if not secret:
        return _("not set")
    # Of a short secret, four characters would be most of it.
    tail = secret[-SECRET_TAIL:] if len(secret) >= SECRET_TAIL * 4 else ""
    return _("set, ends in …%(tail)s") % {"tail": tail} if tail else _("set")


def without_password(address: str) -> str:
    """A URL with neither user nor password nor query."""
    parts = urlsplit(address)
    if not parts.hostname:
        return address
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if value == settings.LLM_PRICES:
        return _prices()
    return str(value)


def _prices() -> str:
    """The prices in yuan per million tokens, as they are now."""
    models = settings.LLM_PRICES.by_model
    return "; ".join(
        f"{model} {price.input} / {price.output}" for model, (price, *_older) in models.items()
    )
