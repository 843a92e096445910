"""A loopback server that receives messages to DingTalk, Feishu and WeCom chat bots."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit


@dataclass
class Message:
    """A POST as it came in."""

    path: str
    query: dict[str, list[str]]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """What the robot would say."""
        content: str = (self.body.get("text") or {}).get("content") or self.body["content"]["text"]
        return content


class Robots:
    """Takes messages at any path; `refusing` are the paths at which it answers an error code."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.refusing: set[str] = set()
        handler = type("Handler", (_Handler,), {"robots": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Robots":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def texts(self, path: str) -> list[str]:
        """What came at a path, in order."""
        return [message.text for message in self.messages if message.path == path]


class _Handler(BaseHTTPRequestHandler):
    robots: ClassVar[Robots]

    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        address = urlsplit(self.path)
        refused = address.path in self.robots.refusing
        if not refused:
            self.robots.messages.append(Message(address.path, parse_qs(address.query), body))
        code = 310000 if refused else 0
        reply = {"code": code} if address.path.startswith("/feishu") else {"errcode": code}
        data = json.dumps(reply | {"errmsg": "sign not match" if refused else "ok"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main() -> None:
    """Print what comes in, for a look by hand: python -m tests.support.robots."""
    with Robots() as robots:
        print(robots.url, flush=True)  # noqa: T201
        seen = 0
        while True:
            threading.Event().wait(0.5)
            for message in robots.messages[seen:]:
                seen += 1
                print(f"\n--- {message.path}\n{message.text}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
