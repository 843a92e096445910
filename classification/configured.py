"""The providers that the settings ask for, made once per process when first needed."""

import functools
import os
import threading
from pathlib import Path

from django.conf import settings

from classification.providers.base import Provider
from classification.providers.slots import Slots

# The variable by which a server hands its workers the file that their Slots share.
SLOTS_FILE = "MODEL_SLOTS_FILE"
# Without it the first photos of a process, which come together, would each make a provider with
# limits of its own.
_making = threading.Lock()


def provider() -> Provider | None:
    """Who is asked about new photos; None when nobody can be."""
    with _making:
        return _provider()


def on_device() -> Provider:
    """The on-device model, which is there on every machine."""
    with _making:
        return _on_device()


def forget() -> None:
    """Make them anew when they are next needed, since the settings have changed."""
    _provider.cache_clear()
    _on_device.cache_clear()


@functools.cache
def _provider() -> Provider | None:
    if settings.LLM_PROVIDER == "local":
        return _on_device()
    if not settings.LLM_API_KEY:
        return None
    from classification.providers.dashscope import DashScopeProvider

    return DashScopeProvider(
        api_key=settings.LLM_API_KEY,
        models=[settings.LLM_MODEL, *settings.LLM_FALLBACK_MODELS],
        base_url=settings.LLM_BASE_URL,
        timeout=settings.LLM_TIMEOUT,
        max_tokens=settings.LLM_MAX_TOKENS,
        slots=_slots(),
    )


def _slots() -> Slots:
    """The calls in flight; the workers of `manage.py serve` lend one another their places."""
    if file := os.environ.get(SLOTS_FILE):
        return Slots(settings.LLM_MAX_CONCURRENCY * settings.WEB_WORKERS, Path(file))
    return Slots(settings.LLM_MAX_CONCURRENCY)


@functools.cache
def _on_device() -> Provider:
    from classification.providers.on_device.provider import OnDeviceProvider

    return OnDeviceProvider()
