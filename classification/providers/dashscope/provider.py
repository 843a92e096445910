"""Alibaba's vision models through the official SDK."""

import base64
import logging
from collections.abc import Sequence
from typing import Any

from dashscope import MultiModalConversation

from classification.providers.dashscope.replies import REPLY_FORMAT
from classification.providers.remote import RemoteProvider, Request
from classification.providers.replies import Feature

SEED = 20260101
JSON_OBJECT = Feature("response_format", "response_format|json")
NO_THINKING = Feature("enable_thinking", "enable_thinking|thinking")


class DashScopeProvider(RemoteProvider):
    """Speaks DashScope's native API, at a `base_url` that ends in /api/v1."""

    name = "aliyun"
    reply_format = REPLY_FORMAT

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        # Its tracebacks contain the whole request, including the key.
        logging.getLogger("dashscope").disabled = True
        self._conversation: Any = MultiModalConversation

    def features(self, model: str, prompt: str) -> Sequence[Feature]:
        """JSON output, which requires the word JSON in the prompt, and no thinking."""
        wanted = [JSON_OBJECT] if "json" in prompt.lower() else []
        if (facts := self.table.get(model)) and facts.thinks:  # others may refuse the parameter
            wanted.append(NO_THINKING)
        return [feature for feature in wanted if self.supports(model, feature.name)]

    def post(self, request: Request) -> None:
        """Send it through the SDK; the response is read from the session."""
        self._conversation.call(
            model=request.model,
            messages=[{"role": "user", "content": _content(request)}],
            api_key=self.api_key,
            base_address=self.base_url,
            session=self.session,
            request_timeout=request.timeout,
            temperature=0,
            seed=SEED,
            max_tokens=self.max_tokens,
            **_parameters(request.features),
        )


def _content(request: Request) -> list[dict[str, str]]:
    image = base64.b64encode(request.photo.jpeg).decode()
    return [
        # The prompt goes first, for the provider's context cache. The line break keeps the SDK from
        # taking it for the name of a file, which it would upload.
        {"text": f"{request.prompt}\n"},
        {"image": f"data:image/jpeg;base64,{image}"},
    ]


def _parameters(features: Sequence[Feature]) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if JSON_OBJECT in features:
        parameters["response_format"] = {"type": "json_object"}
    if NO_THINKING in features:
        parameters["enable_thinking"] = False
    return parameters
