"""The subject of a measurement: provider, model, prompt and image size."""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from classification import prompts
from classification.billing import daily_limit
from classification.models import PromptVersion
from classification.providers import registry
from classification.providers.base import Provider
from classification.providers.registry import ProviderConfig
from core.money import in_yuan
from quality.models import prompt_hash

LOCAL = "local"


class SubjectError(ValueError):
    """The subject is not available; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a run measures; `configured` is None for the on-device model, which reads no prompt."""

    configured: ProviderConfig | None
    model: str
    prompt: str
    prompt_version: int | None
    max_side: int

    @property
    def provider_name(self) -> str:
        return self.configured.name if self.configured else LOCAL

    @property
    def prompt_hash(self) -> str:
        return prompt_hash(self.prompt)

    def key(self, set_hash: str) -> str:
        """A digest of everything that answers depend on, and of the labelled set."""
        parameters = [
            set_hash,
            self.provider_name,
            self.configured.base_url if self.configured else "",
            self.model,
            self.prompt,
            self.max_side,
            settings.LLM_MAX_TOKENS,
        ]
        return hashlib.sha256(json.dumps(parameters).encode()).hexdigest()

    def make_provider(self) -> Provider:
        if self.configured is None:
            return registry.on_device()
        return registry.make(self.configured._replace(models=[self.model]))

    def max_cost(self) -> Decimal:
        """The maximum cost of one photo in yuan."""
        if self.configured is None:
            return Decimal(0)
        return in_yuan(daily_limit.max_cost(self.prompt, [self.model], self.max_side))


def live_subject() -> Subject | None:
    """The subject as it is live for new photos; None if no provider is usable."""
    try:
        return find_subject()
    except SubjectError:
        return None


def find_subject(
    provider: str = "",
    model: str = "",
    prompt: PromptVersion | None = None,
    max_side: int | None = None,
) -> Subject:
    """The subject with these parameters; those left out are as currently live. An unsaved prompt is
    a draft. Raises SubjectError."""
    side = max_side or settings.LLM_IMAGE_MAX_SIDE
    provider = provider or settings.LLM_PROVIDER
    if provider == LOCAL:
        return Subject(None, model or on_device_model(), "", None, side)
    config = registry.find(provider)
    if config is None:
        raise SubjectError(f"The provider {provider} is not configured: its key is not set.")
    name = settings.MODEL_TABLE.in_service(model or config.models[0], timezone.now())
    if prompt is None:
        current = prompts.current()
        return Subject(config, name, current.text, current.version, side)
    return Subject(config, name, prompt.text, prompt.version, side)


def on_device_model() -> str:
    """The name of the on-device model."""
    from classification.providers.on_device.provider import MODEL  # loads the networks' runtime

    return MODEL
