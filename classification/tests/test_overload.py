"""A server under more than it can take still answers known photos."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import (
    ScratchDatabase,
    running_server,
)
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
