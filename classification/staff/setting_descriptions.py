"""How the settings page describes each setting."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from classification.choices import PROVIDERS

KEPT = {
    "keep": _("kept as they are"),
    "hash": _("hashed"),
    "drop": _("not kept"),
    "truncate": _("network only"),
}


class Description(NamedTuple):
    """`help` adds what the label leaves open; `words` are display names of the setting's values."""

    label: Promise
    help: Promise | str = ""
    words: Mapping[str, Promise] = {}


class Group(NamedTuple):
    """A card of the page, with the settings by name; `slug` is its anchor."""

    slug: str
    title: Promise
    settings: Mapping[str, Description]


GROUPS: Sequence[Group] = (
    Group(
        "model",
        _("Model"),
        {
            "LLM_PROVIDER": Description(
                _("Provider"), _("on-device until a key is set"), PROVIDERS
            ),
            "LLM_MODEL": Description(_("Model")),
            "LLM_FALLBACK_MODELS": Description(
                _("Fallback models"), _("tried next, in this order")
            ),
            "LLM_API_KEY": Description(_("API key")),
            "LLM_BASE_URL": Description(_("Base URL")),
            "LLM_TIMEOUT": Description(_("Time limit (s)"), _("of the whole call, with retries")),
            "LLM_MAX_TOKENS": Description(_("Maximum answer length (tokens)")),
            "LLM_MAX_CONCURRENCY": Description(
                _("Concurrent calls per process"), _("processes share free slots")
            ),
            "ON_MODEL_FAILURE": Description(
                _("On model failure"),
                words={
                    "local": _("on-device model"),
                    "error": _("refuse with an error"),
                    "other": _("answer “other”"),
                },
            ),
        },
    ),
    Group(
        "second-provider",
        _("Second provider"),
        {
            "LLM_FALLBACK_PROVIDER": Description(
                _("Provider"), _("asked if the first fails"), PROVIDERS
            ),
            "LLM_FALLBACK_MODEL": Description(_("Model")),
            "LLM_FALLBACK_API_KEY": Description(_("API key")),
            "LLM_FALLBACK_BASE_URL": Description(_("Base URL")),
        },
    ),
    Group(
        "cost",
        _("Cost"),
        {
            "COST_PER_API_CALL": Description(
                _("Default cost per call (yuan)"), _("for models without a known price")
            ),
            "LLM_MODELS_FILE": Description(
                _("Custom model table"), _("extends the built-in table")
            ),
            "LLM_PRICES": Description(
                _("Custom prices"), _("input / output, yuan per million tokens")
            ),
            "DAILY_COST_LIMIT": Description(
                _("Daily spending limit (yuan)"),
                _("beyond it, as on model failure"),
            ),
        },
    ),
    Group(
        "photos",
        _("Photos and cache"),
        {
            "MAX_IMAGE_SIZE_MB": Description(_("Maximum upload size (MB)")),
            "ALLOWED_IMAGE_FORMATS": Description(_("Formats")),
            "LLM_IMAGE_MAX_SIDE": Description(
                _("Longest side (px)"), _("of the image sent; larger photos are scaled down")
            ),
            "CACHE_MIN_CONFIDENCE": Description(
                _("Minimum confidence to cache"), _("answers below it are returned but not cached")
            ),
            "DECLARED_HASHES": Description(
                _("Hashes of original files"),
                _("sent with a copy in place of the original"),
                {"own": _("remembered per user"), "refuse": _("refused")},
            ),
        },
    ),
    Group(
        "log",
        _("Log and privacy"),
        {
            "ENABLE_REQUEST_LOG": Description(_("Keep a request log")),
            "LOG_RETENTION_DAYS": Description(_("Log retention (days)")),
            "USER_IDS": Description(_("User IDs"), _("in log and statistics"), KEPT),
            "IP_ADDRESSES": Description(_("IP addresses"), _("in log and statistics"), KEPT),
            "LOG_LEVEL": Description(
                _("Log level"),
                _("of the server's own log"),
                {
                    "DEBUG": _("everything, debugging included"),
                    "INFO": _("from information up"),
                    "WARNING": _("from warnings up"),
                    "ERROR": _("from errors up"),
                    "CRITICAL": _("severe errors only"),
                },
            ),
            "LOG_FORMAT": Description(
                _("Log format"),
                words={"text": _("lines of text"), "json": _("a JSON object per line")},
            ),
        },
    ),
    Group(
        "server",
        _("Server"),
        {
            "SECRET_KEY": Description(
                _("Session signing key"), _("before a change, list it in SECRET_KEY_FALLBACKS")
            ),
            "METRICS_TOKEN": Description(
                _("Metrics token"), _("without one, there is no /metrics")
            ),
            "WEB_WORKERS": Description(_("Processes")),
            "WEB_THREADS": Description(_("Threads per process")),
            "TRUSTED_PROXIES": Description(
                _("Trusted proxies"), _("believed about the caller's address and https")
            ),
            "TIME_ZONE": Description(_("Time zone"), _("decides when a day begins")),
            "LANGUAGE_CODE": Description(
                _("Language"), words={"zh-hans": _("Chinese"), "en": _("English")}
            ),
        },
    ),
    Group(
        "storage",
        _("Database and cache"),
        {
            "DATABASE_URL": Description(_("Database")),
            "STATS_DATABASE_URL": Description(
                _("Database replica for statistics"), _("figures lag with it")
            ),
            "CACHE_URL": Description(_("Shared cache"), _("unset: one per process")),
        },
    ),
    Group(
        "alerts",
        _("Alerts"),
        {
            "ALERT_EMAILS": Description(_("Alert recipients")),
            "EMAIL_URL": Description(_("Mail server")),
            "ALERT_WEBHOOKS": Description(_("Chat webhooks")),
            "ALERT_DAILY_COST": Description(
                _("Daily cost threshold (yuan)"), _("only notifies, stops nothing")
            ),
            "ALERT_FAILURE_RATE": Description(
                _("Failure rate threshold (%)"), _("of the requests in the window")
            ),
            "ALERT_WINDOW_MINUTES": Description(_("Window (minutes)")),
            "ALERT_MIN_REQUESTS": Description(_("Minimum requests"), _("with fewer, no alert")),
            "ALERT_HIT_RATE_FALL": Description(
                _("Hit-rate drop (points)"), _("vs. the same hour before")
            ),
            "ALERT_AGREEMENT_FALL": Description(
                _("Agreement drop (points)"), _("7 days against 4 weeks")
            ),
        },
    ),
)
