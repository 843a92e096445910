"""Single flight across processes: one paid call for each photo."""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import (
    ScratchDatabase,
    running_server,
)
from tests.support.waiting import at_once, wait_until

pytestmark = pytest.mark.timeout(180)


def test_fifty_uploads_of_one_new_photo_make_one_call(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.delay = 1.0
    data = photo()
    with running_server(database, dashscope) as server:
        replies = at_once([lambda: server.upload(data)] * 50)

    assert [reply.status_code for reply in replies] == [200] * 50
    assert {reply.json()["data"]["category"] for reply in replies} == {"pets"}
    assert sum(reply.json()["source"] == "llm" for reply in replies) == 1
    assert len(dashscope.requests) == 1
    assert database.query("SELECT hit_count FROM image_classification_cache") == [(50,)]
    assert database.value("SELECT COUNT(*) FROM request_log WHERE outcome = 'ok'") == 50
    assert database.value("SELECT COUNT(*) FROM model_call") == 1


def test_waiting_uploads_share_a_failure(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.delay = 5.0  # all have come by then, on a busy machine too
    dashscope.script("no_verdict")
    data = photo()
    with (
        running_server(database, dashscope, WEB_WORKERS="1") as first,
        running_server(database, dashscope, WEB_WORKERS="1") as second,
    ):
        replies = at_once([lambda: first.upload(data)] * 10 + [lambda: second.upload(data)] * 10)

    assert {reply.json()["error_code"] for reply in replies} == {"model_bad_reply"}
    assert len(dashscope.requests) == 1
    assert database.value("SELECT COUNT(*) FROM request_log") == 20


def test_waiting_uploads_share_an_answer_too_uncertain_to_cache(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.delay, dashscope.confidence = 5.0, 0.1
    data = photo()
    with (
        running_server(database, dashscope, WEB_WORKERS="1") as first,
        running_server(database, dashscope, WEB_WORKERS="1") as second,
    ):
        replies = at_once([lambda: first.upload(data)] * 10 + [lambda: second.upload(data)] * 10)
        known = second.check(hashlib.sha256(data).hexdigest()).json()["cached"]

    answers = [reply.json() for reply in replies]
    assert {(a["data"]["category"], a["data"]["confidence"]) for a in answers} == {("pets", 0.1)}
    assert len(dashscope.requests) == 1
    assert known is False
    assert database.value("SELECT COUNT(*) FROM image_classification_cache") == 0
    assert database.value("SELECT COUNT(*) FROM request_log") == 20
    assert database.value("SELECT COUNT(*) FROM model_call WHERE billed = 'yes'") == 1


def test_a_lease_whose_holder_is_killed_is_taken_over_within_seconds(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.script("hang", "ok")
    data = photo()
    with (
        running_server(database, dashscope, WEB_WORKERS="1") as leader,
        running_server(database, dashscope, WEB_WORKERS="1") as other,
        ThreadPoolExecutor(4) as pool,
    ):
        lost = pool.submit(leader.upload, data)
        wait_until(lambda: dashscope.requests)
        waiting = [pool.submit(other.upload, data) for _ in range(3)]
        time.sleep(1.5)  # a heartbeat passes, and they see it move
        leader.kill()
        killed_at = time.monotonic()
        replies = [future.result() for future in waiting]
        assert time.monotonic() - killed_at < 60
        with pytest.raises(requests.ConnectionError):
            lost.result()

    assert [reply.json()["data"]["category"] for reply in replies] == ["pets"] * 3
    assert len(dashscope.requests) == 2
    assert database.query("SELECT hit_count FROM image_classification_cache") == [(3,)]
