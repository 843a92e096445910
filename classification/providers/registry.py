"""The providers that are configured by the settings, created once per process on first use."""

import functools
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.utils import timezone

from classification.providers.base import Provider
from classification.providers.slots import Slots

if TYPE_CHECKING:
    from classification.providers.reachability import Reachability
    from classification.providers.remote import RemoteProvider

# The environment variable that names the file which the Slots of a server's workers share.
SLOTS_FILE = "MODEL_SLOTS_FILE"
# Otherwise the first, concurrent photos of a process would each create a provider, with limits of
# its own.
_making = threading.Lock()


class ProviderConfig(NamedTuple):
    """A provider as configured; `models` are those the settings name, whether or not they are
    retired."""

    name: str
    api_key: str
    base_url: str
    models: list[str]

    def models_today(self) -> list[str]:
        """The models in the order they are asked today, with retired ones replaced."""
        return settings.MODEL_TABLE.candidates(self.models, timezone.now())


def configured() -> list[ProviderConfig]:
    """The remote providers, in the order they are asked."""
    found = [
        ProviderConfig(
            settings.LLM_PROVIDER,
            settings.LLM_API_KEY,
            settings.LLM_BASE_URL,
            [settings.LLM_MODEL, *settings.LLM_FALLBACK_MODELS],
        ),
        ProviderConfig(
            settings.LLM_FALLBACK_PROVIDER,
            settings.LLM_FALLBACK_API_KEY,
            settings.LLM_FALLBACK_BASE_URL,
            [settings.LLM_FALLBACK_MODEL],
        ),
    ]
    # Only DashScope always requires a key.
    return [
        config
        for config in found
        if config.name == "openai" or (config.name == "aliyun" and config.api_key)
    ]


def find(name: str) -> ProviderConfig | None:
    """The provider of this name as configured, whether or not it is used for uploads; None without
    a key."""
    if name == "aliyun" and settings.LLM_PROVIDER == "local" and settings.LLM_API_KEY:
        return ProviderConfig(
            name, settings.LLM_API_KEY, settings.LLM_BASE_URL, [settings.LLM_MODEL]
        )
    return next((config for config in configured() if config.name == name), None)


def make(config: ProviderConfig) -> Provider:
    """A separate provider for the caller, with LLM_MAX_CONCURRENCY slots."""
    return _make(config, Slots(settings.LLM_MAX_CONCURRENCY))


def providers() -> list[Provider]:
    """The providers that are asked about new photos, in order; empty if none is usable."""
    with _making:
        return [_on_device()] if settings.LLM_PROVIDER == "local" else list(_remote())


def models() -> list[str]:
    """The first provider's models in the order they are asked today, retired ones replaced."""
    named = [settings.LLM_MODEL, *settings.LLM_FALLBACK_MODELS]
    first = next(iter(configured()), ProviderConfig("", "", "", named))
    return first.models_today()


def on_device() -> Provider:
    """The on-device model, which is always available."""
    with _making:
        return _on_device()


def load() -> None:
    """Load the code of the configured providers, for the processes that are forked from this one:
    DashScope's takes half a second and 45 MB."""
    for config in configured():
        _kind(config.name)


def reset() -> None:
    """Recreate the providers on next use, after the settings have changed."""
    _remote.cache_clear()
    _on_device.cache_clear()


def reach(config: ProviderConfig, model: str) -> "Reachability":
    """Check, without a paid call, whether a provider accepts the key and serves the model."""
    if config.name == "openai":
        from classification.providers.openai import reachability as openai

        return openai.reach(config.base_url, config.api_key, model)
    from classification.providers.dashscope import reachability as dashscope

    return dashscope.reach(config.base_url, config.api_key, model)


@functools.cache
def _remote() -> tuple[Provider, ...]:
    return tuple(_make(config, _slots(number)) for number, config in enumerate(configured()))


def _make(config: ProviderConfig, slots: Slots) -> Provider:
    return _kind(config.name)(
        api_key=config.api_key,
        models=config.models,
        table=settings.MODEL_TABLE,
        base_url=config.base_url,
        timeout=settings.LLM_TIMEOUT,
        max_tokens=settings.LLM_MAX_TOKENS,
        slots=slots,
    )


def _kind(name: str) -> "type[RemoteProvider]":
    """The class of a provider; imported lazily, since most commands ask no model."""
    if name == "openai":
        from classification.providers.openai.provider import OpenAIProvider

        return OpenAIProvider
    from classification.providers.dashscope.provider import DashScopeProvider

    return DashScopeProvider


def _slots(number: int) -> Slots:
    """The slots for calls to one provider, shared by the workers of `manage.py serve`."""
    if file := os.environ.get(SLOTS_FILE):
        count = settings.LLM_MAX_CONCURRENCY * settings.WEB_WORKERS
        return Slots(count, Path(file), first=number * count)
    return Slots(settings.LLM_MAX_CONCURRENCY)


@functools.cache
def _on_device() -> Provider:
    from classification.providers.on_device.provider import OnDeviceProvider

    return OnDeviceProvider()
