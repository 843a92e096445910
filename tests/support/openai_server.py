"""A fake OpenAI server on loopback, with every failure mode of the real one."""

from typing import Any

from tests.support.model_server import ModelHandler, ModelServer

COMPLETIONS = "/v1/chat/completions"
# mode -> HTTP status, code: refusals with a JSON body, as documented.
REFUSALS: dict[str, tuple[int, str]] = {
    "invalid_request_error": (400, "invalid_request_error"),
    "content_policy_violation": (400, "content_policy_violation"),
    "data_inspection_failed": (400, "data_inspection_failed"),
    "Arrearage": (400, "Arrearage"),
    "invalid_api_key": (401, "invalid_api_key"),
    "access_denied": (403, "access_denied"),
    "model_not_found": (404, "model_not_found"),
    "rate_limit_exceeded": (429, "rate_limit_exceeded"),
    "insufficient_quota": (429, "insufficient_quota"),
    "server_error": (500, "server_error"),
    "overloaded": (503, "overloaded"),
}
# mode -> the whole body of a 200.
ODD_BODIES: dict[str, bytes] = {
    "empty_choices": b'{"choices": [], "usage": {}}',
    "null_choices": b'{"choices": null}',
    "null_message": b'{"choices": [{"message": null}]}',
    "null_content": b'{"choices": [{"finish_reason": "stop", "message": {"content": null}}]}',
    "missing_choices": b'{"id": "r"}',
    "json_list": b'["pets"]',
    "not_json": b"<html>proxy</html>",
    "bad_utf8": b"\xff\xfe\xff",
    "empty_body": b"",
    "refusal": b'{"choices": [{"finish_reason": "stop", "message": {"content": null, '
    b'"refusal": "I cannot help with that."}}]}',
    "content_filter": b'{"choices": [{"finish_reason": "content_filter", "message": '
    b'{"content": ""}}]}',
}


class _Handler(ModelHandler):
    path_of_questions = COMPLETIONS
    refusals = REFUSALS
    odd_bodies = ODD_BODIES

    def look_up(self) -> None:
        if self.path != "/v1/models":
            self._send(404, b"404 page not found", "text/plain")
            return
        mode = self.fake.next_mode()
        if mode == "ok":
            models = [{"id": name, "object": "model"} for name in self.fake.models]
            self._json(200, {"object": "list", "data": models})
        else:
            self._answer_by(mode)

    def _answer_by(self, mode: str) -> None:
        self.path = COMPLETIONS
        self._answer(mode, {})

    def answer(self, content: Any, reason: str) -> dict[str, Any]:
        if not isinstance(content, str):  # the usual form here is a string
            content = content[0]["text"]
        message = {"role": "assistant", "content": content}
        usage = {"prompt_tokens": 800, "completion_tokens": 40, "total_tokens": 840}
        return {
            "id": "chatcmpl-1",
            "model": "a-vision-model-0101",
            "choices": [{"index": 0, "finish_reason": reason, "message": message}],
            "usage": usage if self.fake.usage is None else self.fake.usage,
        }

    def refusal(self, code: str, message: str) -> dict[str, Any]:
        return {"error": {"code": code, "message": message, "type": code, "param": None}}

    def parameters(self, request: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in request.items() if name != "messages"}


class OpenAIServer(ModelServer):
    """A service at an address that ends in /v1, with the models `models`."""

    base_path = "/v1"
    handler = _Handler
