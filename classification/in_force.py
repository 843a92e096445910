"""The settings in force and where each came from, for staff to read."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

SECRET_TAIL = 4
# By subject, what each setting is about.
GROUPS: Sequence[tuple[Promise, dict[str, Promise]]] = (
    (
        _("Model"),
        {
            "LLM_PROVIDER": _("Who is asked"),
            "LLM_MODEL": _("Model"),
            "LLM_FALLBACK_MODELS": _("Models for when it is retired or denied"),
            "LLM_API_KEY": _("API key"),
            "LLM_BASE_URL": _("Address of the provider"),
            "LLM_TIMEOUT": _("Longest wait for an answer, with retries (s)"),
            "LLM_MAX_TOKENS": _("Longest answer (tokens)"),
            "LLM_MAX_CONCURRENCY": _("Calls at once, per process"),
            "ON_MODEL_FAILURE": _("When the model fails"),
        },
    ),
    (
        _("Photos and cache"),
        {
            "MAX_IMAGE_SIZE_MB": _("Largest upload (MB)"),
            "ALLOWED_IMAGE_FORMATS": _("Formats"),
            "LLM_IMAGE_MAX_SIDE": _("Longest side of what the model is sent (px)"),
            "CACHE_MIN_CONFIDENCE": _("Least confidence of an answer that is kept"),
        },
    ),
    (
        _("Cost"),
        {
            "COST_PER_API_CALL": _("A call whose tokens or price are unknown (yuan)"),
            "LLM_PRICES": _("Input / output, yuan per million tokens"),
            "DAILY_COST_LIMIT": _("Most that may be spent in a day (yuan)"),
        },
    ),
    (
        _("Alerts"),
        {
            "ALERT_EMAILS": _("People who are told by e-mail"),
            "EMAIL_URL": _("Mail server"),
            "ALERT_WEBHOOKS": _("Group robots that are told"),
            "ALERT_DAILY_COST": _("Cost of a day (yuan)"),
            "ALERT_FAILURE_RATE": _("Failures (%)"),
            "ALERT_WINDOW_MINUTES": _("Of the last minutes"),
            "ALERT_MIN_REQUESTS": _("With at least so many requests"),
            "ALERT_HIT_RATE_FALL": _("Fall of the hit rate (points)"),
        },
    ),
    (
        _("Service"),
        {
            "DATABASE_URL": _("Database"),
            "CACHE_URL": _("Cache shared by processes and hosts"),
            "SECRET_KEY": _("Secret that sessions are signed with"),
            "ENABLE_REQUEST_LOG": _("Request log is kept"),
            "LOG_RETENTION_DAYS": _("How long (days)"),
            "LOG_LEVEL": _("Least level of the server's log"),
            "LOG_FORMAT": _("Form of the server's log"),
            "METRICS_TOKEN": _("Token for reading /metrics"),
            "WEB_WORKERS": _("Processes"),
            "WEB_THREADS": _("Threads of each"),
            "TRUSTED_PROXIES": _("Proxies that are believed"),
            "TIME_ZONE": _("Time zone"),
            "LANGUAGE_CODE": _("Language"),
        },
    ),
)
SECRETS = {"LLM_API_KEY", "SECRET_KEY", "METRICS_TOKEN"}
ADDRESSES = {"DATABASE_URL", "CACHE_URL", "LLM_BASE_URL", "EMAIL_URL"}


class Setting(NamedTuple):
    """`source` is environment, .env or default."""

    name: str
    label: Promise
    value: str
    source: str


def groups() -> list[tuple[Promise, list[Setting]]]:
    """The settings by subject."""
    return [
        (title, [_setting(name, label) for name, label in labels.items()])
        for title, labels in GROUPS
    ]


def _setting(name: str, label: Promise) -> Setting:
    value = getattr(settings, name)
    if name in SECRETS:
        shown = _masked(value)
    elif name in ADDRESSES:
        shown = without_password(value)
    else:
        shown = _written(value)
    return Setting(name, label, shown or "–", settings.SETTING_SOURCE(name))


def _masked(secret: str) -> str:
    if not secret:
        return gettext("not set")
    # Of a short secret, four characters would be most of it.
    tail = secret[-SECRET_TAIL:] if len(secret) >= SECRET_TAIL * 4 else ""
    return gettext("set, ends in …%(tail)s") % {"tail": tail} if tail else gettext("set")


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
        return gettext("yes") if value else gettext("no")
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
