"""The format of chat completions, and of the errors of services that offer them."""

import json
from typing import Any

from classification.providers.replies import ErrorBody, ModelMessage, ReplyFormat, text_of


def _read_answer(body: dict[str, Any]) -> ModelMessage | None:
    if "choices" not in body:
        return None
    choices = body["choices"]
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return ModelMessage("", "")
    is_refusal = isinstance(message.get("refusal"), str) and bool(message["refusal"])
    return ModelMessage(
        text_of(message.get("content")), str(choice.get("finish_reason")), is_refusal
    )


def _read_error(body: dict[str, Any]) -> ErrorBody | None:
    """Read errors in the formats of OpenAI, Ollama (which may be a plain string), vLLM, servers
    built on FastAPI, and DashScope."""
    error = body.get("error", body)
    if isinstance(error, str):
        return ErrorBody("", error)
    if not isinstance(error, dict):
        return None
    if "message" not in error:
        # FastAPI: a string, or a list of errors by parameter.
        return ErrorBody("", json.dumps(body["detail"])) if "detail" in body else None
    code, kind, parameter = (error.get(name) for name in ("code", "type", "param"))
    # The code may just repeat the HTTP status; then the type is more specific.
    code = code if isinstance(code, str) else kind
    return ErrorBody(str(code or ""), f"{error['message']} {parameter or ''}")


REPLY_FORMAT = ReplyFormat(_read_answer, _read_error)
