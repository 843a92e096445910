"""The format of DashScope's replies."""

from typing import Any

from classification.providers.replies import ErrorBody, ModelMessage, ReplyFormat, text_of


def _read_answer(body: dict[str, Any]) -> ModelMessage | None:
    output = body.get("output")
    if not isinstance(output, dict):
        return None
    choices = output.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return ModelMessage("", "")
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return ModelMessage(text_of(content), str(choice.get("finish_reason")))


def _read_error(body: dict[str, Any]) -> ErrorBody | None:
    code, message = body.get("code"), body.get("message")
    if not isinstance(code, str) or not code or not isinstance(message, str):
        return None
    return ErrorBody(code, message)


REPLY_FORMAT = ReplyFormat(_read_answer, _read_error)
