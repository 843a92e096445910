"""A server under more than it can take still answers known photos."""

import hashlib
import select
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import RunningServer, ScratchDatabase, running_server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(180)


def test_while_the_model_hangs_known_photos_are_answered_and_new_ones_are_busy(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    known = photo()
    settings = {"LLM_MAX_CONCURRENCY": "4", "LLM_TIMEOUT": "12"}
    with (
        running_server(database, dashscope, **settings) as server,
        ThreadPoolExecutor(60) as pool,
    ):
        server.upload(known)
        dashscope.script("hang")
        uploads = [pool.submit(server.upload, photo(seed=seed)) for seed in range(1, 61)]
        wait_until(lambda: len(dashscope.requests) >= 5)
        hits = [server.check(hashlib.sha256(known).hexdigest()).json() for _ in range(20)]
        again = server.upload(known).json()
        replies = [future.result() for future in uploads]

    assert all(hit["cached"] for hit in hits)
    assert again["from_cache"]
    codes = [reply.json()["error_code"] for reply in replies]
    assert set(codes) == {"model_busy", "model_timeout"}
    assert len(dashscope.requests) <= 1 + 8  # those who come after the time-outs are not sent on
    busy = [reply for reply in replies if reply.json()["error_code"] == "model_busy"]
    assert all(int(reply.headers["Retry-After"]) > 0 for reply in busy)
    assert dashscope.peak_in_flight <= 8


def test_idle_connections_shut_nobody_out(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    with running_server(database, dashscope, WEB_WORKERS="1") as server:
        idle = [requests.Session() for _ in range(300)]
        for session in idle:
            session.get(f"{server.base_url}/nothing", timeout=60)
        reply = server.check("0" * 64)
        for session in idle:
            session.close()

    assert reply.json()["cached"] is False


@pytest.mark.parametrize("megabytes", [1, 9])
def test_one_who_sends_slowly_on_many_connections_keeps_nobody_waiting(
    database: ScratchDatabase, dashscope: DashScopeServer, megabytes: int
) -> None:
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "WEB_WORKERS": "1", "WEB_THREADS": "20"}
    with running_server(database, dashscope, **settings) as server:
        slow = [_begin_upload(server, megabytes * 1_000_000) for _ in range(30)]
        wait_until(lambda: len(_answered(slow)) >= 21)
        answer = server.upload(photo(), headers={"X-Forwarded-For": "192.0.2.2"}).json()
        refusals = [sock.recv(65536).decode() for sock in _answered(slow)]
        for sock in slow:
            sock.close()

    assert answer["success"]
    assert all(text.startswith("HTTP/1.1 503") for text in refusals)
    assert all("model_busy" in text and "retry-after: 2" in text.lower() for text in refusals)


def _answered(socks: list[socket.socket]) -> list[socket.socket]:
    return select.select(socks, [], [], 0)[0]


def _begin_upload(server: RunningServer, length: int) -> socket.socket:
    """A connection of one client on which only the head of an upload has come."""
    host, port = server.address.split(":")
    sock = socket.create_connection((host, int(port)), 30)
    head = (
        f"POST /api/v1/classify HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n"
        "X-Forwarded-For: 192.0.2.1\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\n\r\n--edge\r\n"
    )
    sock.sendall(head.encode())
    return sock
