"""Vision models behind any OpenAI-compatible API."""

import base64
from collections.abc import Sequence
from typing import Any

from classification.categories import CATEGORIES
from classification.providers.openai.replies import REPLY_FORMAT
from classification.providers.remote import RemoteProvider, Request
from classification.providers.replies import Feature

SEED = 20260101
STRUCTURED = "structured|guided|grammar"
# In order of preference: a JSON schema, any JSON object, or whatever the prompt asks for.
JSON_SCHEMA = Feature("json_schema", f"json_schema|response_format|{STRUCTURED}")
JSON_OBJECT = Feature("json_object", f"json_object|response_format|{STRUCTURED}|json")
# The parameter of DashScope, and that of vLLM and others. Models without thinking reject the first.
ENABLE_THINKING = Feature("enable_thinking", "enable_thinking|thinking")
TEMPLATE_THINKING = Feature("chat_template_kwargs", "chat_template_kwargs|enable_thinking")
SEEDED = Feature("seed", r"\bseed\b")
TEMPERATURE = Feature("temperature", "temperature")
# Newer models of OpenAI want max_completion_tokens instead.
MAX_TOKENS = Feature("max_tokens", "max_tokens")
SCHEMA = {
    "type": "object",
    "properties": {
        "category": {"type": "string", "enum": [category.key for category in CATEGORIES]},
        "confidence": {"type": "number"},
        "description": {"type": "string"},
    },
    "required": ["category", "confidence", "description"],
    "additionalProperties": False,
}
DASHSCOPE_HOSTS = ("aliyuncs.com", "aliyuncs.com.cn")


class OpenAIProvider(RemoteProvider):
    """Chat completions at `base_url`, which usually ends in /v1; the key may be empty."""

    name = "openai"
    reply_format = REPLY_FORMAT

    def features(self, model: str, prompt: str) -> Sequence[Feature]:
        """The best structured output the model supports, no thinking, and reproducible answers."""
        wanted = [*self._structured_output(model, prompt), SEEDED, TEMPERATURE, MAX_TOKENS]
        if not self._is_dashscope():
            wanted.append(TEMPLATE_THINKING)
        elif (facts := self.table.get(model)) and facts.thinks:
            wanted.append(ENABLE_THINKING)
        return [feature for feature in wanted if self.supports(model, feature.name)]

    def post(self, request: Request) -> None:
        """Send it; the response is read from the session."""
        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        self.session.post(
            f"{self.base_url}/chat/completions",
            json=self._body(request),
            headers=headers,
            timeout=request.timeout,
        )

    def _structured_output(self, model: str, prompt: str) -> list[Feature]:
        facts = self.table.get(model)
        best = facts.structured_output if facts else "json_schema"
        if best == "json_schema" and self.supports(model, JSON_SCHEMA.name):
            return [JSON_SCHEMA]
        # Some services require the word JSON in the prompt.
        return [JSON_OBJECT] if best != "none" and "json" in prompt.lower() else []

    def _is_dashscope(self) -> bool:
        host = self.base_url.partition("://")[2].partition("/")[0].partition(":")[0]
        return host.endswith(DASHSCOPE_HOSTS)

    def _body(self, request: Request) -> dict[str, Any]:
        image = base64.b64encode(request.photo.jpeg).decode()
        content = [
            # The prompt goes first, for the provider's context cache.
            {"type": "text", "text": request.prompt},
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{image}"}},
        ]
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": "user", "content": content}],
        }
        for feature in request.features:
            body |= self._parameter(feature)
        if MAX_TOKENS not in request.features:
            body["max_completion_tokens"] = self.max_tokens
        return body

    def _parameter(self, feature: Feature) -> dict[str, Any]:
        schema = {"name": "classification", "strict": True, "schema": SCHEMA}
        parameters: dict[Feature, dict[str, Any]] = {
            JSON_SCHEMA: {"response_format": {"type": "json_schema", "json_schema": schema}},
            JSON_OBJECT: {"response_format": {"type": "json_object"}},
            ENABLE_THINKING: {"enable_thinking": False},
            TEMPLATE_THINKING: {"chat_template_kwargs": {"enable_thinking": False}},
            SEEDED: {"seed": SEED},
            TEMPERATURE: {"temperature": 0},
            MAX_TOKENS: {"max_tokens": self.max_tokens},
        }
        return parameters[feature]
