"""Django system checks of combinations of settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def secret_is_configured(**_: Any) -> list[CheckMessage]:
    if not settings.SECRET_KEY_IS_GENERATED:
        return []
    return [
        Error(
            "SECRET_KEY is not set; the one kept under var/ is for local use.",
            hint="Set SECRET_KEY in the environment or in .env, the same on every host.",
            id="classification.E001",
        )
    ]


@register(Tags.compatibility)
def provider_has_key(**_: Any) -> list[CheckMessage]:
    if settings.LLM_PROVIDER == "aliyun" and not settings.LLM_API_KEY:
        return [
            Error(
                "LLM_PROVIDER is aliyun, but LLM_API_KEY is not set.",
                hint="Set LLM_API_KEY to a DashScope key, or LLM_PROVIDER to local.",
                id="classification.E002",
            )
        ]
    if settings.LLM_PROVIDER == "local" and settings.LLM_API_KEY:
        return [
            Warning(
                "LLM_API_KEY is set, but LLM_PROVIDER is local: the paid model is not asked.",
                hint="Remove LLM_PROVIDER or set it to aliyun to use the key.",
                id="classification.W001",
            )
        ]
    return []


@register(Tags.compatibility)
def threads_exceed_model_calls(**_: Any) -> list[CheckMessage]:
    if settings.WEB_THREADS > settings.LLM_MAX_CONCURRENCY:
        return []
    return [
        Warning(
            "WEB_THREADS is not above LLM_MAX_CONCURRENCY: a model that hangs can hold every "
            "thread, and known photos wait too.",
            hint="Set WEB_THREADS to 3 * LLM_MAX_CONCURRENCY + 32, or leave it out.",
            id="classification.W002",
        )
    ]


@register(Tags.security, deploy=True)
def proxy_stands_before(**_: Any) -> list[CheckMessage]:
    if settings.TRUSTED_PROXIES or settings.APP_HOST in ("127.0.0.1", "::1", "localhost"):
        return []
    return [
        Warning(
            "APP_HOST is reached from the network, and no proxy is named: a client that sends "
            "its body slowly holds a thread.",
            hint="Put nginx or the like in front, and its address into TRUSTED_PROXIES.",
            id="classification.W003",
        )
    ]


@register(Tags.compatibility)
def variables_are_ours(**_: Any) -> list[CheckMessage]:
    return [
        Warning(
            f"{name} is set, but is not read.",
            hint=f"Did you mean {ours}?",
            id="classification.W005",
        )
        for name, ours in settings.SETTING_LOOK_ALIKES().items()
    ]
