"""A small server on loopback that speaks DashScope's language, and fails in each of its ways.

In a test: `with DashScopeServer() as server: server.script("hang")`. As a program, steered over
HTTP: `python -m classification.tests.dashscope_server --port 9000 --delay 2`, then
GET /_stats and POST /_script {"modes": ["ok"], "delay": 0, "category": "pets"}.
"""

import argparse
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar

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
    "null_output": b'{"output": null, "request_id": "r"}',
    "json_list": b'["pets"]',
    "not_json": b"<html>proxy</html>",
    "bad_utf8": b"\xff\xfe\xff",
    "empty_body": b"",
}
MODEL_WORDS = {
    "prose": "图片里是一只猫。\n{}\n希望有帮助！",
    "fenced": "```json\n{}\n```",
    "no_verdict": "I cannot tell.",
    "unknown_category": '{{"category": "dogs", "confidence": 0.9}}',
}


@dataclass
class Received:
    """One POST as it came in; `at` is seconds of the monotonic clock."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float = field(default_factory=time.monotonic)


class DashScopeServer:
    """Answers with each of the scripted modes in turn, the last one from then on."""

    def __init__(self, port: int = 0, delay: float = 0.0) -> None:
        self.requests: list[Received] = []
        self.category = "pets"
        self.confidence: Any = 0.95
        self.description = "一只猫"
        self.delay = delay
        self.clock_ahead = 0.0
        self.in_flight = 0
        self.peak_in_flight = 0
        self.lock = threading.Lock()
        self.released = threading.Event()
        self._modes = ["ok"]
        self._stopped = threading.Event()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/api/v1"

    def __enter__(self) -> "DashScopeServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def serve_forever(self) -> None:
        self._server.serve_forever()

    def script(self, *modes: str) -> None:
        with self.lock:
            self._modes = list(modes)

    def next_mode(self) -> str:
        with self.lock:
            return self._modes.pop(0) if len(self._modes) > 1 else self._modes[0]

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than the server lives."""
        self._stopped.wait(seconds)

    @property
    def stats(self) -> dict[str, int]:
        return {"calls": len(self.requests), "peak_in_flight": self.peak_in_flight}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else the body of an answer waits 40 ms until its head is acknowledged, as at no real service.
    disable_nagle_algorithm = True
    fake: ClassVar[DashScopeServer]

    def log_message(self, *args: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.fake.clock_ahead)

    def do_GET(self) -> None:
        self._json(200, self.fake.stats)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/_script":
            self.fake.script(*body.get("modes", ["ok"]))
            self.fake.delay = body.get("delay", self.fake.delay)
            self.fake.category = body.get("category", self.fake.category)
            self._json(200, {})
            return
        fake = self.fake
        with fake.lock:
            fake.requests.append(Received(self.path, dict(self.headers), body))
            fake.in_flight += 1
            fake.peak_in_flight = max(fake.peak_in_flight, fake.in_flight)
        try:
            fake.wait(fake.delay)
            self._answer(fake.next_mode(), body)
        finally:
            with fake.lock:
                fake.in_flight -= 1

    def _answer(self, mode: str, request: dict[str, Any]) -> None:
        if mode == "ok" and "messages" not in request.get("input", {}):
            mode = "InvalidParameter"
        if mode in REFUSALS:
            status, code = REFUSALS[mode]
            self._json(status, {"code": code, "message": "no", "request_id": "r"})
        elif mode in ODD_BODIES:
            self._send(200, ODD_BODIES[mode])
        elif mode.startswith("refuse "):
            self._refuse_parameter(mode.removeprefix("refuse "), request)
        elif hasattr(self, f"_do_{mode}"):
            getattr(self, f"_do_{mode}")()
        else:
            self._verdict(mode)

    def _verdict(self, mode: str) -> None:
        verdict = {
            "category": self.fake.category,
            "confidence": self.fake.confidence,
            "description": self.fake.description,
        }
        words = MODEL_WORDS.get(mode, "{}").format(json.dumps(verdict, ensure_ascii=False))
        content: Any = words if mode == "ok_string" else [{"text": words}]
        reason = "length" if mode == "cut_by_length" else "stop"
        message = {"role": "assistant", "content": content}
        self._json(
            200,
            {
                "output": {"choices": [{"finish_reason": reason, "message": message}]},
                "usage": {"input_tokens": 800, "output_tokens": 40, "image_tokens": 770},
                "request_id": "provider-request-1",
            },
        )

    def _refuse_parameter(self, name: str, request: dict[str, Any]) -> None:
        """Behave like a model that does not have this parameter."""
        if name not in request["parameters"]:
            self._verdict("ok")
            return
        message = f"The parameter {name} is not supported by this model."
        self._json(400, {"code": "InvalidParameter", "message": message, "request_id": "r"})

    def _do_html_error(self) -> None:
        self._send(502, b"<html>Bad Gateway</html>", "text/html")

    def _do_null_error(self) -> None:
        self._send(500, b"null")

    def _do_redirect(self) -> None:
        self.send_response(302)
        self.send_header("Location", GENERATION)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _do_hang(self) -> None:
        self.fake.wait(600)
        self.close_connection = True

    def _do_hold(self) -> None:
        """Answer well, but not before the test says so."""
        self.fake.released.wait(60)
        self._verdict("ok")

    def _do_close_before_answer(self) -> None:
        self._hang_up()

    def _do_close_in_body(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        self._hang_up()

    def _do_stall_in_body(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        self.fake.wait(600)
        self.close_connection = True

    def _do_drip_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        self._drip()

    def _do_drip_body(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
        self._drip()

    def _drip(self) -> None:
        for _ in range(1000):
            self.wfile.write(b" ")
            self.wfile.flush()
            self.fake.wait(0.1)
        self.close_connection = True

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.0)
    arguments = parser.parse_args()
    DashScopeServer(arguments.port, arguments.delay).serve_forever()


if __name__ == "__main__":
    main()
