"""Remote providers with small limits, which tests point at a fake server."""

from typing import Any, TypeVar

import pytest

from classification import images
from classification.images import Photo
from classification.providers.base import ProviderError
from classification.providers.model_table.table import ModelTable
from classification.providers.remote import RemoteProvider
from classification.providers.slots import Slots
from tests.support.pictures import photo as picture

AnyProvider = TypeVar("AnyProvider", bound=RemoteProvider)

TIMEOUT = 3.0
PROMPT = "看图，输出 JSON。"
KEY = "sk-very-secret"


def make_provider(kind: type[AnyProvider], base_url: str, arguments: dict[str, Any]) -> AnyProvider:
    """A provider that knows no facts about models; `arguments` replace its defaults."""
    defaults: dict[str, Any] = {
        "api_key": KEY,
        "table": ModelTable({}),
        "base_url": base_url,
        "timeout": TIMEOUT,
        "max_tokens": 500,
        "slots": Slots(4),
    }
    return kind(**(defaults | arguments))


def prepared(seed: int = 0) -> Photo:
    """A photo as a provider gets it; another seed makes another photo."""
    return images.prepare(picture(seed=seed), allowed_formats=["jpg"], max_side=1024)


def failure(asked: RemoteProvider, photo: Photo) -> ProviderError:
    """The error that the provider raises for the photo."""
    with pytest.raises(ProviderError) as caught:
        asked.classify(photo, PROMPT)
    return caught.value
