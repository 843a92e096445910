"""A fake model server on loopback, with every failure mode of a network.

What a vendor's own words look like is in dashscope_server.py and openai_server.py.
"""

import json
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, TypeVar

MODEL_WORDS = {
    "prose": "图片里是一只猫。\n{}\n希望有帮助！",
    "fenced": "```json\n{}\n```",
    "no_verdict": "I cannot tell.",
    "unknown_category": '{{"category": "dogs", "confidence": 0.9}}',
}
HTML = b"<html><title>Please log in</title></html>"

Server = TypeVar("Server", bound="ModelServer")


@dataclass
class Received:
    """One POST as it came in; `at` is seconds of the monotonic clock."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float = field(default_factory=time.monotonic)

    @property
    def picture(self) -> bytes:
        """The JPEG that the question is about."""
        encoded = json.dumps(self.body).partition(";base64,")[2].partition('"')[0]
        return b64decode(encoded)


class ModelServer:
    """Answers with each of the scripted modes in turn, the last one from then on.

    `by_picture` makes the verdict, or parts of it, from the JPEG that came. `words`, `usage`,
    `error` (status, code, message) and `retry_after` take the place of what the server would say by
    itself; the mode "error" says `error`.
    """

    base_path: ClassVar[str]
    handler: ClassVar["type[ModelHandler]"]

    def __init__(self, port: int = 0, delay: float = 0.0) -> None:
        self.requests: list[Received] = []
        self.category = "pets"
        self.confidence: Any = 0.95
        self.description = "一只猫"
        self.models = ["a-vision-model"]
        self.by_picture: Callable[[bytes], dict[str, Any]] | None = None
        self.words = ""
        self.usage: Any = None
        self.error = (400, "", "")
        self.retry_after = ""
        self.delay = delay
        self.clock_ahead = 0.0
        self.in_flight = 0
        self.peak_in_flight = 0
        self.connections = 0
        self.open_connections = 0
        self.lock = threading.Lock()
        self.released = threading.Event()
        self._modes = ["ok"]
        self._stopped = threading.Event()
        handler = type("Handler", (self.handler,), {"fake": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.base_url = self.address + self.base_path

    def __enter__(self: Server) -> Server:
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


class ModelHandler(BaseHTTPRequestHandler):
    """What all fake models have in common; a vendor's own words are in a subclass."""

    protocol_version = "HTTP/1.1"
    # Else the body of an answer waits 40 ms until its head is acknowledged, as at no real service.
    disable_nagle_algorithm = True
    fake: ClassVar[ModelServer]
    # Where questions are asked; any other address is a wrong one.
    path_of_questions: ClassVar[str]
    # mode -> HTTP status, code: refusals with a JSON body, as documented.
    refusals: ClassVar[dict[str, tuple[int, str]]]
    # mode -> the whole body of a 200.
    odd_bodies: ClassVar[dict[str, bytes]]

    def answer(self, content: Any, reason: str) -> dict[str, Any]:
        """The body of an answer."""
        raise NotImplementedError

    def refusal(self, code: str, message: str) -> dict[str, Any]:
        """The body of an error."""
        raise NotImplementedError

    def parameters(self, request: dict[str, Any]) -> dict[str, Any]:
        """What a request asks for besides its messages."""
        raise NotImplementedError

    def setup(self) -> None:
        super().setup()
        with self.fake.lock:
            self.fake.connections += 1
            self.fake.open_connections += 1

    def finish(self) -> None:
        with self.fake.lock:
            self.fake.open_connections -= 1
        super().finish()

    def log_message(self, *args: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.fake.clock_ahead)

    def do_GET(self) -> None:
        self.look_up()

    def look_up(self) -> None:
        """Answer a GET."""
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
        self.received = Received(self.path, dict(self.headers), body)
        with fake.lock:
            fake.requests.append(self.received)
            fake.in_flight += 1
            fake.peak_in_flight = max(fake.peak_in_flight, fake.in_flight)
        try:
            fake.wait(fake.delay)
            self._answer(fake.next_mode(), body)
        finally:
            with fake.lock:
                fake.in_flight -= 1

    def _answer(self, mode: str, request: dict[str, Any]) -> None:
        if self.path != self.path_of_questions:
            self._send(404, b"404 page not found", "text/plain")
        elif mode in self.refusals:
            status, code = self.refusals[mode]
            self._json(status, self.refusal(code, "no"))
        elif mode in self.odd_bodies:
            self._send(200, self.odd_bodies[mode])
        elif mode.startswith("html "):
            self._send(int(mode.removeprefix("html ")), HTML, "text/html; charset=utf-8")
        elif mode.startswith("refuse "):
            self._refuse_parameter(mode.removeprefix("refuse "), request)
        elif hasattr(self, f"_do_{mode}"):
            getattr(self, f"_do_{mode}")()
        else:
            self.say(mode)

    def say(self, mode: str) -> None:
        """Give the verdict, in the words and the form of the mode."""
        verdict = json.dumps(self.verdict(), ensure_ascii=False)
        words = MODEL_WORDS.get(mode, "{}").format(verdict)
        words = self.fake.words or words
        content: Any = words if mode == "ok_string" else [{"text": words, "type": "text"}]
        self._json(200, self.answer(content, "length" if mode == "cut_by_length" else "stop"))

    def verdict(self) -> dict[str, Any]:
        """What the model makes of the photo."""
        verdict = {
            "category": self.fake.category,
            "confidence": self.fake.confidence,
            "description": self.fake.description,
        }
        if self.fake.by_picture:
            verdict |= self.fake.by_picture(self.received.picture)
        return verdict

    def _refuse_parameter(self, name: str, request: dict[str, Any]) -> None:
        """Behave like a model that does not have this parameter."""
        if name not in json.dumps(self.parameters(request)):
            self.say("ok")
            return
        message = f"The parameter {name} is not supported by this model."
        self._json(400, self.refusal("InvalidParameter", message))

    def _do_error(self) -> None:
        status, code, message = self.fake.error
        self._json(status, self.refusal(code, message))

    def _do_html_error(self) -> None:
        self._send(502, b"<html>Bad Gateway</html>", "text/html")

    def _do_null_error(self) -> None:
        self._send(500, b"null")

    def _do_redirect(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.path_of_questions)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _do_hang(self) -> None:
        self.fake.wait(600)
        self.close_connection = True

    def _do_hold(self) -> None:
        """Answer well, but not before the test says so."""
        self.fake.released.wait(60)
        self.say("ok")

    def _do_ok_and_close(self) -> None:
        """Answer well, and close the connection later, as a server does with idle ones."""
        self.say("ok")
        self._hang_up()

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
        if status != 200 and self.fake.retry_after:
            self.send_header("Retry-After", self.fake.retry_after)
        self.end_headers()
        self.wfile.write(body)
