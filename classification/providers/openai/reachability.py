"""Checks, without a paid call, whether an OpenAI-compatible service accepts the key and serves the
model."""

from typing import Any

import requests

from classification.providers.causes import Cause
from classification.providers.openai.replies import REPLY_FORMAT
from classification.providers.reachability import SECONDS, Reachability
from classification.providers.reachability import reach as reach_by
from classification.providers.replies import Failure, json_of, read_response


def reach(base_url: str, api_key: str, model: str) -> Reachability:
    """Request the list of models; never raises."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    def send(session: requests.Session) -> requests.Response:
        return session.get(
            f"{base_url}/models", headers=headers, timeout=SECONDS, allow_redirects=False
        )

    return reach_by(send, lambda response: _judge(response, model))


def _judge(response: requests.Response, model: str) -> tuple[str, Cause]:
    body = json_of(response)
    if response.status_code == 200:
        names = _names(body)
        if names is None:
            return "the list of models is not in the form of OpenAI", "not_the_provider"
        is_served = model in names or f"{model}:latest" in names  # as Ollama tags them
        return ("", "") if is_served else ("it is not in the list of models", "model_retired")
    result = read_response(response, REPLY_FORMAT, ())
    return (result.why, result.cause) if isinstance(result, Failure) else ("", "")


def _names(body: Any) -> set[str] | None:
    models = body.get("data") if isinstance(body, dict) else None
    if not isinstance(models, list):
        return None
    return {str(model.get("id")) for model in models if isinstance(model, dict)}
