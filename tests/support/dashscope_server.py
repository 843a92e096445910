"""A fake DashScope server on loopback, with every failure mode of the real one.

In a test: `with DashScopeServer() as server: server.script("hang")`. As a program, steered over
HTTP: `python -m tests.support.dashscope_server --port 9000 --delay 2`, then
GET /_stats and POST /_script {"modes": ["ok"], "delay": 0, "category": "pets"}.
"""

import argparse
from typing import Any

from tests.support.model_server import ModelHandler, ModelServer

GENERATION = "/api/v1/services/aigc/multimodal-generation/generation"

# mode -> HTTP status, code: refusals with a JSON body, as documented.
REFUSALS: dict[str, tuple[int, str]] = {
    code: (status, code)
    for status, codes in {
        400: (
            "InvalidParameter",
            "DataInspectionFailed",
            "data_inspection_failed",
            "Arrearage",
        ),
        401: ("InvalidApiKey",),
        403: (
            "AccessDenied",
            "AccessDenied.Unpurchased",
            "Model.AccessDenied",
            "Endpoint.AccessDenied",
            "AllocationQuota.FreeTierOnly",
        ),
        404: ("ModelNotFound",),
        429: (
            "Throttling",
            "Throttling.RateQuota",
            "Throttling.BurstRate",
            "Throttling.AllocationQuota",
            "CommodityNotPurchased",
            "PrepaidBillOverdue",
            "PostpaidBillOverdue",
        ),
        500: ("InternalError", "InternalError.Algo", "SystemError", "RequestTimeOut"),
        503: ("ModelServingError", "ModelUnavailable"),
    }.items()
    for code in codes
}
# mode -> the whole body of a 200.
ODD_BODIES: dict[str, bytes] = {
    "empty_choices": b'{"output": {"choices": []}, "usage": {}, "request_id": "r"}',
    "null_choices": b'{"output": {"choices": null}, "usage": {}, "request_id": "r"}',
    "missing_choices": b'{"output": {}, "usage": {}, "request_id": "r"}',
    "empty_content": b'{"output": {"choices": [{"finish_reason": "stop", "message": '
    b'{"role": "assistant", "content": []}}]}, "usage": {}, "request_id": "r"}',
    "null_content": b'{"output": {"choices": [{"finish_reason": "stop", "message": '
    b'{"role": "assistant", "content": null}}]}, "usage": {}, "request_id": "r"}',
    "half_characters": b'{"output": {"choices": [{"finish_reason": "stop", "message": '
    b'{"content": "a cat \\ud83d"}}]}, "usage": {}, "request_id": "r\\udfff"}',
    "null_output": b'{"output": null, "request_id": "r"}',
    "json_list": b'["pets"]',
    "not_json": b"<html>proxy</html>",
    "bad_utf8": b"\xff\xfe\xff",
    "empty_body": b"",
}


class _Handler(ModelHandler):
    path_of_questions = GENERATION
    refusals = REFUSALS
    odd_bodies = ODD_BODIES

    def answer(self, content: Any, reason: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": content}
        usage = {"input_tokens": 800, "output_tokens": 40, "image_tokens": 770}
        return {
            "output": {"choices": [{"finish_reason": reason, "message": message}]},
            "usage": usage if self.fake.usage is None else self.fake.usage,
            "request_id": "provider-request-1",
        }

    def refusal(self, code: str, message: str) -> dict[str, Any]:
        return {"code": code, "message": message, "request_id": "r"}

    def parameters(self, request: dict[str, Any]) -> dict[str, Any]:
        parameters: dict[str, Any] = request["parameters"]
        return parameters

    def _answer(self, mode: str, request: dict[str, Any]) -> None:
        # Whoever asks nothing is told so, and pays nothing.
        is_question = "messages" in request.get("input", {})
        super()._answer(mode if mode != "ok" or is_question else "InvalidParameter", request)


class DashScopeServer(ModelServer):
    """DashScope, at an address that ends in /api/v1."""

    base_path = "/api/v1"
    handler = _Handler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.0)
    arguments = parser.parse_args()
    DashScopeServer(arguments.port, arguments.delay).serve_forever()


if __name__ == "__main__":
    main()
