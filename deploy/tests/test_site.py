"""What the kit's nginx does by itself: bodies, refusals, and whom it asks again."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest
import requests

from tests.support.nginx import HOST, Nginx, running_nginx
from tests.support.ports import free_port

# Says that it closes, as the app does: nginx might send the next request on the connection else.
OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
CHECK_CACHE = "/api/v1/classify/check-cache"
CLASSIFY = "/api/v1/classify"


class Upstream:
    """An app host that answers each request with `reply`, or hangs up if there is none."""

    def __init__(self, reply: bytes) -> None:
        self.requests: list[bytes] = []
        self._reply = reply
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(_read_request(connection))
                connection.sendall(self._reply)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _read_request(connection: socket.socket) -> bytes:
    received = bytearray()
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")  # bytearrays, which grow in place
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    while len(body) < int(length[1] if length else 0):
        body += connection.recv(1 << 20)
    return bytes(head + b"\r\n\r\n" + body)


@contextmanager
def upstream(reply: bytes = OK) -> Iterator[Upstream]:
    server = Upstream(reply)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def away() -> str:
    """An address where nobody listens."""
    return f"127.0.0.1:{free_port()}"


def ask(nginx: Nginx, path: str, times: int) -> set[int]:
    return {nginx.post(path, data=b"x").status_code for _ in range(times)}


def test_a_host_that_cannot_be_reached_costs_nobody_an_answer(tmp_path: Path, away: str) -> None:
    with upstream() as host, running_nginx(tmp_path, [away, host.address]) as nginx:
        assert ask(nginx, CLASSIFY, 6) == {200}


def test_an_upload_that_may_have_reached_a_model_is_not_repeated(tmp_path: Path) -> None:
    with (
        upstream(b"") as first,
        upstream(b"") as second,
        running_nginx(tmp_path, [first.address, second.address]) as nginx,
    ):
        reply = nginx.post(CLASSIFY, data=b"x")

    assert reply.status_code == 503
    assert len(first.requests) + len(second.requests) == 1


def test_a_question_by_hash_is_asked_again_elsewhere(tmp_path: Path) -> None:
    with (
        upstream(b"") as first,
        upstream() as second,
        running_nginx(tmp_path, [first.address, second.address]) as nginx,
    ):
        assert ask(nginx, CHECK_CACHE, 6) == {200}

    assert first.requests


def test_no_upload_touches_the_disk(tmp_path: Path) -> None:
    megabyte = b"x" * 1024 * 1024
    with upstream() as host, running_nginx(tmp_path, [host.address]) as nginx:
        replies = [
            nginx.post(CLASSIFY, data=megabyte * 10),
            nginx.post(CLASSIFY, data=iter([megabyte] * 10)),  # chunked: of unknown length
            nginx.post(f"{CLASSIFY}/batch", data=megabyte * 100),
            nginx.post("/test/again", data=iter([megabyte] * 10)),
        ]
        assert not [path for path in (tmp_path / "body").rglob("*") if path.is_file()]

    assert [reply.status_code for reply in replies] == [200] * 4
    assert [len(request) > 10 * len(megabyte) for request in host.requests] == [True] * 4
    # It says so at this level of the log whenever it puts a body into a file.
    assert "temporary file" not in nginx.error_log()


@pytest.mark.parametrize("path", [CLASSIFY, f"{CLASSIFY}/batch", CHECK_CACHE])
def test_a_body_that_is_too_long_is_refused_in_the_apis_words(tmp_path: Path, path: str) -> None:
    with running_nginx(tmp_path, ["127.0.0.1:9"]) as nginx:
        client = HTTPConnection(nginx.address)
        client.putrequest("POST", path, skip_host=True)
        client.putheader("Host", HOST)
        client.putheader("Content-Length", str(300 * 1024 * 1024))  # announced, not sent
        client.endheaders()
        reply = client.getresponse()
        body = json.loads(reply.read())
        client.close()

    assert (reply.status, body["error_code"]) == (413, "image_too_large")


def test_without_any_host_clients_are_told_when_to_come_back(tmp_path: Path, away: str) -> None:
    with running_nginx(tmp_path, [away]) as nginx:
        reply = nginx.post(CLASSIFY, data=b"x")

    body = reply.json()
    assert reply.status_code == 503
    assert reply.headers["Retry-After"] == "2"
    assert (body["success"], body["error_code"]) == (False, "model_unavailable")
    assert re.fullmatch(r"req_\d{10}_[0-9a-f]{12}", body["request_id"])
    assert reply.headers["X-Request-ID"] == body["request_id"]


def test_the_app_learns_who_asks_and_the_log_does_not(tmp_path: Path) -> None:
    headers = {"Host": HOST, "X-User-ID": "device-7"}
    headers |= {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http"}
    headers |= {"X_Forwarded_For": "7.7.7.7"}  # which the app could not tell from the other
    with upstream() as host, running_nginx(tmp_path, [host.address]) as nginx:
        client = HTTPSConnection(nginx.secure_address, context=nginx.trust())
        client.request("POST", f"{CLASSIFY}?secret=1", b"x", headers)
        assert client.getresponse().status == 200
        client.close()
        log = nginx.access_log()[-1]

    head = host.requests[0].decode()
    assert "X-Forwarded-For: 6.6.6.6, 127.0.0.1\r\n" in head
    assert "7.7.7.7" not in head
    assert "X-Forwarded-Proto: https\r\n" in head
    assert f"Host: {HOST}\r\n" in head
    assert log["path"] == CLASSIFY
    assert not re.search(r"device-7|secret|6\.6\.6\.6", json.dumps(log))


def test_headers_that_the_app_would_not_read_are_refused_or_replaced(tmp_path: Path) -> None:
    """The app's server reads what is not ASCII as empty: a user would be lost, and an address."""
    with upstream() as host, running_nginx(tmp_path, [host.address]) as nginx:
        unreadable = "小明".encode().decode("latin-1")
        refused = nginx.post(CLASSIFY, data=b"x", headers={"X-User-ID": unreadable})
        answered = nginx.post(
            CLASSIFY, data=b"x", headers={"X-User-ID": "a b~", "X-Forwarded-For": unreadable}
        )

    body = refused.json()
    assert (refused.status_code, body["error_code"]) == (400, "invalid_request")
    assert "X-User-ID" in body["error"]
    assert refused.headers["X-Request-ID"] == body["request_id"]
    assert answered.status_code == 200
    assert [b"X-Forwarded-For: 127.0.0.1\r\n" in head for head in host.requests] == [True]


def test_names_that_are_not_ours_are_not_answered(tmp_path: Path) -> None:
    with (
        running_nginx(tmp_path, ["127.0.0.1:9"]) as nginx,
        pytest.raises(requests.ConnectionError),
    ):
        requests.get(nginx.url, headers={"Host": "other.example.com"}, timeout=60)


def test_static_files_come_from_the_disk_else_from_the_app(tmp_path: Path) -> None:
    static = tmp_path / "www" / "static"
    static.mkdir(parents=True)
    (static / "site.0123456789ab.css").write_text("body {}")
    with upstream() as host, running_nginx(tmp_path, [host.address]) as nginx:
        headers = {"Host": HOST}
        ours = requests.get(
            f"{nginx.url}/static/site.0123456789ab.css", headers=headers, timeout=60
        )
        other = requests.get(f"{nginx.url}/static/older.css", headers=headers, timeout=60)

    assert ours.text == "body {}"
    assert "immutable" in ours.headers["Cache-Control"]
    assert (other.text, len(host.requests)) == ("{}", 1)
