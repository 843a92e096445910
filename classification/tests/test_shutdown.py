"""Stopping a server, orderly or with kill -9: nothing is lost."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import (
    ScratchDatabase,
    running_server,
)
from tests.support.waiting import at_once, wait_until

pytestmark = pytest.mark.timeout(180)


def test_an_orderly_stop_loses_no_hit(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    data = photo()
    image_hash = hashlib.sha256(data).hexdigest()
    with running_server(database, dashscope) as server:
        server.upload(data)
        replies = at_once([lambda: [server.check(image_hash) for _ in range(10)]] * 30)
        server.terminate()

    assert all(reply.json()["cached"] for group in replies for reply in group)
    assert database.query("SELECT hit_count FROM image_classification_cache") == [(301,)]
    assert database.value("SELECT COUNT(*) FROM request_log WHERE source = 'cache'") == 300


def test_kill_loses_no_paid_answer(database: ScratchDatabase, dashscope: DashScopeServer) -> None:
    photos = [photo(seed=seed) for seed in range(10)]
    with running_server(database, dashscope) as server:
        replies = at_once([partial(server.upload, data) for data in photos])
        server.kill()

    assert [reply.json()["source"] for reply in replies] == ["llm"] * 10
    assert database.value("SELECT COUNT(*) FROM image_classification_cache") == 10
    assert database.value("SELECT COUNT(*) FROM request_log WHERE source = 'llm'") == 10
    assert database.value("SELECT COUNT(*) FROM model_call WHERE billed = 'yes'") == 10


def test_an_orderly_stop_finishes_requests_in_progress(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.delay = 2.0
    with running_server(database, dashscope) as server, ThreadPoolExecutor(8) as pool:
        begun = [pool.submit(server.upload, photo(seed=seed)) for seed in range(8)]
        wait_until(lambda: len(dashscope.requests) == 8)
        server.terminate()
        replies = [future.result() for future in begun]

    assert [reply.status_code for reply in replies] == [200] * 8
    assert database.value("SELECT COUNT(*) FROM model_call") == 8
