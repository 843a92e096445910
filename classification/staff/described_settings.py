"""What each setting is about, in staff's words."""

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


class Described(NamedTuple):
    """`help` tells what the name does not; `words` says values of a few letters in words."""

    label: Promise
    help: Promise | str = ""
    words: Mapping[str, Promise] = {}


class Group(NamedTuple):
    """`slug` is the group's anchor on the page."""

    slug: str
    title: Promise
    settings: Mapping[str, Described]


GROUPS: Sequence[Group] = (
    Group(
        "model",
        _("Model"),
        {
            "LLM_PROVIDER": Described(_("Provider"), _("on-device until a key is set"), PROVIDERS),
            "LLM_MODEL": Described(_("Model")),
            "LLM_FALLBACK_MODELS": Described(_("Fallback models"), _("tried next, in this order")),
            "LLM_API_KEY": Described(_("API key")),
            "LLM_BASE_URL": Described(_("Base URL")),
            "LLM_TIMEOUT": Described(_("Time limit (s)"), _("of the whole call, with retries")),
            "LLM_MAX_TOKENS": Described(_("Maximum answer length (tokens)")),
            "LLM_MAX_CONCURRENCY": Described(
                _("Concurrent calls per process"), _("processes share free slots")
            ),
            "ON_MODEL_FAILURE": Described(
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
            "LLM_FALLBACK_PROVIDER": Described(
                _("Provider"), _("asked if the first fails"), PROVIDERS
            ),
            "LLM_FALLBACK_MODEL": Described(_("Model")),
            "LLM_FALLBACK_API_KEY": Described(_("API key")),
            "LLM_FALLBACK_BASE_URL": Described(_("Base URL")),
        },
    ),
    Group(
        "cost",
        _("Cost"),
        {
            "COST_PER_API_CALL": Described(
                _("Default cost per call (yuan)"), _("for models without a known price")
            ),
            "LLM_MODELS_FILE": Described(_("Custom model table"), _("extends the built-in table")),
            "LLM_PRICES": Described(
                _("Custom prices"), _("input / output, yuan per million tokens")
            ),
            "DAILY_COST_LIMIT": Described(
                _("Daily spending limit (yuan)"),
                _("beyond it, as on model failure"),
            ),
        },
    ),
    Group(
        "photos",
        _("Photos and cache"),
        {
            "MAX_IMAGE_SIZE_MB": Described(_("Maximum upload size (MB)")),
            "ALLOWED_IMAGE_FORMATS": Described(_("Formats")),
            "LLM_IMAGE_MAX_SIDE": Described(
                _("Longest side (px)"), _("of the image sent; larger photos are scaled down")
            ),
            "CACHE_MIN_CONFIDENCE": Described(
                _("Minimum confidence to cache"), _("answers below it are returned but not cached")
            ),
            "DECLARED_HASHES": Described(
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
            "ENABLE_REQUEST_LOG": Described(_("Keep a request log")),
            "LOG_RETENTION_DAYS": Described(_("Log retention (days)")),
            "USER_IDS": Described(_("User IDs"), _("in log and statistics"), KEPT),
            "IP_ADDRESSES": Described(_("IP addresses"), _("in log and statistics"), KEPT),
            "LOG_LEVEL": Described(
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
            "LOG_FORMAT": Described(
                _("Log format"),
                words={"text": _("lines of text"), "json": _("a JSON object per line")},
            ),
        },
    ),
    Group(
        "server",
        _("Server"),
        {
            "SECRET_KEY": Described(
                _("Session signing key"), _("before a change, list it in SECRET_KEY_FALLBACKS")
            ),
            "METRICS_TOKEN": Described(_("Metrics token"), _("without one, there is no /metrics")),
            "WEB_WORKERS": Described(_("Processes")),
            "WEB_THREADS": Described(_("Threads per process")),
            "TRUSTED_PROXIES": Described(
                _("Trusted proxies"), _("believed about the caller's address and https")
            ),
            "TIME_ZONE": Described(_("Time zone"), _("decides when a day begins")),
            "LANGUAGE_CODE": Described(
                _("Language"), words={"zh-hans": _("Chinese"), "en": _("English")}
            ),
        },
    ),
    Group(
        "storage",
        _("Database and cache"),
        {
            "DATABASE_URL": Described(_("Database")),
            "STATS_DATABASE_URL": Described(
                _("Database replica for statistics"), _("figures lag with it")
            ),
            "CACHE_URL": Described(_("Shared cache"), _("unset: one per process")),
        },
    ),
    Group(
        "alerts",
        _("Alerts"),
        {
            "ALERT_EMAILS": Described(_("Alert recipients")),
            "EMAIL_URL": Described(_("Mail server")),
            "ALERT_WEBHOOKS": Described(_("Chat webhooks")),
            "ALERT_DAILY_COST": Described(
                _("Daily cost threshold (yuan)"), _("only notifies, stops nothing")
            ),
            "ALERT_FAILURE_RATE": Described(
                _("Failure rate threshold (%)"), _("of the requests in the window")
            ),
            "ALERT_WINDOW_MINUTES": Described(_("Window (minutes)")),
            "ALERT_MIN_REQUESTS": Described(_("Minimum requests"), _("with fewer, no alert")),
            "ALERT_HIT_RATE_FALL": Described(
                _("Hit-rate drop (points)"), _("vs. the same hour before")
            ),
            "ALERT_AGREEMENT_FALL": Described(
                _("Agreement drop (points)"), _("7 days against 4 weeks")
            ),
        },
    ),
)
