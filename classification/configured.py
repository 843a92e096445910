"""The providers that the settings ask for, made once per process when first needed."""

import functools

from django.conf import settings

from classification.providers.base import Provider


@functools.cache
def provider() -> Provider | None:
    """Who is asked about new photos; None when nobody can be."""
    if settings.LLM_PROVIDER == "local":
        return on_device()
    if not settings.LLM_API_KEY:
        return None
    from classification.providers.dashscope import DashScopeProvider

    return DashScopeProvider(
        api_key=settings.LLM_API_KEY,
        models=[settings.LLM_MODEL, *settings.LLM_FALLBACK_MODELS],
        base_url=settings.LLM_BASE_URL,
        timeout=settings.LLM_TIMEOUT,
        max_tokens=settings.LLM_MAX_TOKENS,
        max_concurrency=settings.LLM_MAX_CONCURRENCY,
    )


@functools.cache
def on_device() -> Provider:
    """The on-device model, which is there on every machine."""
    from classification.providers.on_device.provider import OnDeviceProvider

    return OnDeviceProvider()
