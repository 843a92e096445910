"""What only the real server shows: headers and bodies as they come over a connection."""

import hashlib
import io
import json
import re
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
import requests

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import RunningServer, ScratchDatabase, running_server
from tests.support.waiting import wait_until

LONG = "d" * 65
LONG_DIGEST = hashlib.sha256(LONG.encode()).hexdigest()
CHECK = "/api/v1/classify/check-cache"


@pytest.fixture
def server(database: ScratchDatabase) -> Iterator[RunningServer]:
    with (
        DashScopeServer() as dashscope,
        running_server(database, dashscope, TRUSTED_PROXIES="127.0.0.1", WEB_WORKERS="1") as server,
    ):
        yield server


def test_who_asked_is_logged_as_it_was_sent(
    server: RunningServer, database: ScratchDatabase
) -> None:
    data = photo()
    known = hashlib.sha256(data).hexdigest()
    server.upload(data, headers={"X-User-ID": LONG})
    cases: list[tuple[dict[str, str], dict[str, Any], str, str]] = [
        ({"X-User-ID": LONG}, {}, LONG_DIGEST, "127.0.0.1"),
        ({}, {"user_id": LONG}, LONG_DIGEST, "127.0.0.1"),
        # With a cookie a question does not go the fast path.
        ({"X-User-ID": LONG, "Cookie": "a=b"}, {}, LONG_DIGEST, "127.0.0.1"),
        ({}, {"user_id": "设备一"}, "设备一", "127.0.0.1"),
        # The server reads such a header as an empty one.
        (
            {"X-User-ID": "设备二".encode().decode("latin-1")},
            {"user_id": "设备二"},
            "设备二",
            "127.0.0.1",
        ),
        ({"X-User-ID": "", "X-Forwarded-For": "192.0.2.7:4711"}, {}, "None", "192.0.2.7"),
        ({"X-Forwarded-For": "[2001:db8::7]:4711"}, {"user_id": "b"}, "b", "2001:db8::7"),
        ({"X-Forwarded-For": "fe80::7%eth0", "Cookie": "a=b"}, {}, "None", "fe80::7"),
    ]
    for headers, body, _, _ in cases:
        reply = requests.post(
            f"{server.base_url}/classify/check-cache",
            json={"image_hash": known} | body,
            headers=headers,
            timeout=30,
        )
        assert reply.json()["cached"], reply.text
    wait_until(lambda: database.value("SELECT COUNT(*) FROM request_log") == len(cases) + 1)
    rows = database.query("SELECT user_id, ip_address FROM request_log ORDER BY id")

    logged = [(str(user), address) for user, address in rows]
    assert sorted(logged) == sorted(
        [(LONG_DIGEST, "127.0.0.1"), *((user, address) for _, _, user, address in cases)]
    )


@pytest.mark.parametrize("name", ["Authorization", "X-API-Key"])
def test_a_key_that_is_not_ascii_is_a_wrong_one(server: RunningServer, name: str) -> None:
    """The server reads such a header as an empty one."""
    key = "Bearer 钥匙".encode().decode("latin-1")
    for headers in ({name: key}, {name: ""}, {name: key, "Cookie": "a=b"}):
        reply = requests.post(
            f"{server.base_url}/classify/check-cache",
            json={"image_hash": "0" * 64},
            headers=headers,
            timeout=30,
        )
        assert reply.status_code == 401, headers
        assert reply.json()["error_code"] == "not_authenticated"
        assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_bodies_arrive_however_they_are_sent(server: RunningServer) -> None:
    data = photo()
    form = requests.Request(
        "POST", f"{server.base_url}/classify", files={"image": ("p.jpg", data)}
    ).prepare()
    assert isinstance(form.body, bytes)
    whole = form.body
    in_chunks = requests.post(
        form.url or "",
        data=iter([whole[:1000], whole[1000:]]),
        headers={"Content-Type": form.headers["Content-Type"]},
        timeout=60,
    )
    after_100 = _expecting_100(server, whole, form.headers["Content-Type"])

    assert in_chunks.json()["image_hash" if "image_hash" in in_chunks.json() else "success"]
    assert after_100["from_cache"]


def _expecting_100(server: RunningServer, body: bytes, content_type: str) -> Any:
    """Send the body only when the server asks for it, as curl does with large ones."""
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port)), 30) as sock:
        head = (
            f"POST /api/v1/classify HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        sock.sendall(head.encode())
        assert sock.recv(1024).startswith(b"HTTP/1.1 100 ")
        sock.sendall(body)
        received = io.BytesIO()
        while chunk := sock.recv(65536):
            received.write(chunk)
    return json.loads(received.getvalue().partition(b"\r\n\r\n")[2])


def test_clients_that_go_while_they_send_free_their_places(database: ScratchDatabase) -> None:
    """More of them than there are threads; what they had sent by then costs nothing."""
    with (
        DashScopeServer() as dashscope,
        running_server(database, dashscope, WEB_WORKERS="1") as server,
    ):
        # The longer ones are read by Django itself.
        gone = [
            _sending(server, photo(seed=seed), length=megabytes * 1_000_000)
            for seed in range(1, 61)
            for megabytes in (3, 5)
        ]
        for sock in gone:
            sock.close()
        answer = server.upload(photo()).json()
        asked = len(dashscope.requests)

    assert answer["success"], answer
    assert asked == 1


def _sending(server: RunningServer, data: bytes, length: int) -> socket.socket:
    """A connection on which a form with a photo has been begun, and does not end."""
    host, port = server.address.split(":")
    sock = socket.create_connection((host, int(port)), 30)
    head = (
        f"POST /api/v1/classify HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\n\r\n--edge\r\n"
        'Content-Disposition: form-data; name="image"; filename="p.jpg"\r\n\r\n'
    )
    sock.sendall(head.encode() + data + b"\r\n--edge\r\n")
    return sock


def test_a_connection_serves_one_request_after_another(server: RunningServer) -> None:
    """A refusal that leaves its body unread must not be taken for the next request."""
    connection = HTTPConnection(server.address, timeout=30)
    ids = []
    for body in (b"{", json.dumps({"image_hash": "0" * 64}).encode(), b"x" * 5000, b"{}"):
        connection.request("POST", CHECK, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        answer = json.loads(reply.read())
        assert answer["request_id"] == reply.headers["X-Request-ID"]
        ids.append(answer["request_id"])

    connection.close()

    assert len(set(ids)) == 4
    assert all(re.fullmatch(r"req_\d{10}_[0-9a-f]{12}", each) for each in ids)
