"""What only several real processes show: one paid call per photo, and nothing lost."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from redis import Redis
from redis.exceptions import RedisError

from classification.tests.dashscope_server import DashScopeServer
from classification.tests.pictures import photo
from classification.tests.ports import free_port
from classification.tests.servers import (
    ScratchDatabase,
    manage,
    running_server,
    scratch_database,
)

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("processes")]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ScratchDatabase]:
    with scratch_database(tmp_path) as database:
        yield database


@pytest.fixture
def dashscope() -> Iterator[DashScopeServer]:
    with DashScopeServer() as server:
        yield server


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each of these returns, all called at the same time."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


def wait_until(condition: Callable[[], Any], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "It did not happen in time."
        time.sleep(0.05)


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


def test_those_who_wait_share_a_failure(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.delay = 1.5
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


def test_those_who_wait_share_an_answer_that_is_too_unsure_to_be_kept(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.delay, dashscope.confidence = 1.5, 0.1
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


def test_a_leader_that_is_killed_delays_the_others_by_seconds(
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
        assert time.monotonic() - killed_at < 15
        with pytest.raises(requests.ConnectionError):
            lost.result()

    assert [reply.json()["data"]["category"] for reply in replies] == ["pets"] * 3
    assert len(dashscope.requests) == 2
    assert database.query("SELECT hit_count FROM image_classification_cache") == [(3,)]


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


def test_while_the_model_hangs_known_photos_are_answered_and_new_ones_told_busy(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    known = photo()
    settings = {"LLM_MAX_CONCURRENCY": "4", "LLM_TIMEOUT": "8"}
    with (
        running_server(database, dashscope, **settings) as server,
        ThreadPoolExecutor(60) as pool,
    ):
        server.upload(known)
        dashscope.script("hang")
        started = time.monotonic()
        uploads = [pool.submit(server.upload, photo(seed=seed)) for seed in range(1, 61)]
        wait_until(lambda: len(dashscope.requests) >= 5)
        hits = [server.check(hashlib.sha256(known).hexdigest()).json() for _ in range(20)]
        again = server.upload(known).json()
        assert time.monotonic() - started < 8, "The model had not hung yet."
        replies = [future.result() for future in uploads]

    assert all(hit["cached"] for hit in hits)
    assert again["from_cache"]
    codes = [reply.json()["error_code"] for reply in replies]
    assert set(codes) == {"model_busy", "model_timeout"}
    assert len(dashscope.requests) <= 1 + 8  # those who come after the time-outs are not sent on
    busy = [reply for reply in replies if reply.json()["error_code"] == "model_busy"]
    assert all(int(reply.headers["Retry-After"]) > 0 for reply in busy)
    assert dashscope.peak_in_flight <= 8


def test_hosts_that_share_redis_see_a_purge_at_once(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    url = "redis://127.0.0.1:6379/9"
    try:
        Redis.from_url(url).flushdb()
    except RedisError:
        pytest.skip("needs Redis on 127.0.0.1:6379: apt-get install redis-server")
    data = photo()
    image_hash = hashlib.sha256(data).hexdigest()
    with (
        running_server(database, dashscope, CACHE_URL=url, WEB_WORKERS="1") as first,
        running_server(database, dashscope, CACHE_URL=url, WEB_WORKERS="1") as second,
    ):
        first.upload(data)
        before = [server.check(image_hash).json()["cached"] for server in (first, second)]
        manage(database, "purge_cache", "--all", "--yes", CACHE_URL=url)
        after = [server.check(image_hash).json()["cached"] for server in (first, second)]

    assert (before, after) == ([True, True], [False, False])


def test_a_redis_that_is_away_only_costs_time(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    data = photo()
    away = f"redis://127.0.0.1:{free_port()}/0"
    with running_server(database, dashscope, CACHE_URL=away) as server:
        first, second = server.upload(data).json(), server.upload(data).json()

    assert (first["source"], second["source"]) == ("llm", "cache")


def test_apps_that_keep_their_connections_shut_nobody_out(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    with running_server(database, dashscope, WEB_WORKERS="1") as server:
        idle = [requests.Session() for _ in range(300)]
        for session in idle:
            session.get(f"{server.base_url}/nothing", timeout=10)
        reply = server.check("0" * 64)
        for session in idle:
            session.close()

    assert reply.json()["cached"] is False


def test_an_orderly_stop_answers_what_has_begun(
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
