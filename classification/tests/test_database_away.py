"""A database that is stopped and started again under a running service."""

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.private_mariadb import PrivateMariaDB, private_mariadb
from tests.support.servers import ScratchDatabase, running_server
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.mariadb, pytest.mark.timeout(180)]


@pytest.fixture
def mariadb(tmp_path: Path, migrated_database: ScratchDatabase) -> Iterator[PrivateMariaDB]:
    with private_mariadb(tmp_path, migrated_database) as server:
        yield server


def test_a_database_that_is_down_is_told_soon_and_heals_by_itself(
    mariadb: PrivateMariaDB,
) -> None:
    hot, new = photo(seed=1), photo(seed=2)
    hot_hash = hashlib.sha256(hot).hexdigest()
    with (
        DashScopeServer() as model,
        running_server(mariadb.database, model, WEB_WORKERS="1") as server,
    ):
        server.upload(hot)
        server.check(hot_hash)
        mariadb.kill()
        replies = [server.upload(new), server.check("0" * 64)]
        hits = [server.check(hot_hash).json()["cached"] for _ in range(5)]
        health = server.health()
        mariadb.start()
        healed = server.upload(new).json()
        back_at = mariadb.database.value("SELECT MAX(seen_at) FROM server_process")
        wait_until(
            lambda: mariadb.database.value("SELECT MAX(seen_at) FROM server_process") > back_at
        )
        server.terminate()

    assert hits == [True] * 5
    counts = mariadb.database.query("SELECT hit_count FROM image_classification_cache ORDER BY 1")
    assert counts == [(1,), (1 + 1 + 5,)]
    for reply in replies:
        assert (reply.status_code, reply.json()["error_code"]) == (503, "database_unavailable")
        assert int(reply.headers["Retry-After"]) > 0
        assert reply.elapsed.total_seconds() < 20
    assert (health["status"], health["database"]) == ("unhealthy", "disconnected")
    assert healed["source"] == "llm"
    assert len(model.requests) == 2


def test_a_silent_database_is_not_waited_for(mariadb: PrivateMariaDB) -> None:
    known = photo()
    image_hash = hashlib.sha256(known).hexdigest()
    with (
        DashScopeServer() as model,
        running_server(mariadb.database, model, WEB_WORKERS="1") as server,
        ThreadPoolExecutor(20) as pool,
    ):
        server.upload(known)
        server.check(image_hash)
        mariadb.freeze()
        asked = [pool.submit(server.check, f"{number:064x}") for number in range(20)]
        hit = server.check(image_hash)
        refused = [each.result() for each in asked]
        mariadb.thaw()
        until = time.monotonic() + 60
        while server.check("0" * 64).status_code != 200:
            assert time.monotonic() < until

    assert hit.json()["cached"]
    assert {reply.json()["error_code"] for reply in refused} == {"database_unavailable"}
    assert all(int(reply.headers["Retry-After"]) > 0 for reply in refused)


def test_a_restart_under_load_loses_no_paid_answer_and_makes_none_wrong(
    mariadb: PrivateMariaDB,
) -> None:
    photos = [photo(seed=seed) for seed in range(12)]
    with (
        DashScopeServer(delay=2.0) as model,
        running_server(mariadb.database, model) as server,
        ThreadPoolExecutor(12) as pool,
    ):
        uploads = [pool.submit(server.upload, data) for data in photos]
        while len(model.requests) < len(photos):
            time.sleep(0.05)
        mariadb.kill()
        replies = [upload.result() for upload in uploads]
        mariadb.start()
        model.delay = 0.0
        again = [server.upload(data).json() for data in photos]
        hits = [server.check(hashlib.sha256(data).hexdigest()).json() for data in photos]

    assert [reply.status_code for reply in replies] == [200] * len(photos)
    assert [reply.json()["source"] for reply in replies] == ["llm"] * len(photos)
    assert {reply["data"]["category"] for reply in again} == {"pets"}
    assert all(hit["cached"] for hit in hits)
    assert len(model.requests) == len(photos)
    query = mariadb.database.value
    assert query("SELECT COUNT(*) FROM image_classification_cache") == len(photos)
    assert query("SELECT COUNT(*) FROM model_call WHERE billed = 'yes'") == len(photos)
    assert query("SELECT COUNT(*) FROM request_log WHERE source = 'llm'") == len(photos)
    assert query("SELECT SUM(hit_count) FROM image_classification_cache") == 3 * len(photos)


def test_a_stop_while_the_database_is_away_waits_for_it_with_patience(
    mariadb: PrivateMariaDB,
) -> None:
    known, paid = photo(seed=1), photo(seed=2)
    known_hash = hashlib.sha256(known).hexdigest()
    with (
        DashScopeServer() as model,
        running_server(mariadb.database, model, WEB_WORKERS="1") as server,
        ThreadPoolExecutor(2) as pool,
    ):
        server.upload(known)
        server.check(known_hash)
        model.delay = 1.5
        answer = pool.submit(server.upload, paid)
        wait_until(lambda: len(model.requests) == 2)
        mariadb.freeze()
        hits = [server.check(known_hash).json()["cached"] for _ in range(5)]
        source = answer.result().json()["source"]
        stop = pool.submit(server.terminate)
        time.sleep(1)
        mariadb.thaw()
        stop.result()

    assert hits == [True] * 5
    assert source == "llm"
    query = mariadb.database.query
    counts = query("SELECT image_hash, hit_count FROM image_classification_cache")
    assert dict(counts) == {known_hash: 7, hashlib.sha256(paid).hexdigest(): 1}
    assert query("SELECT COUNT(*) FROM request_log") == [(8,)]
    assert query("SELECT COUNT(*) FROM model_call WHERE billed = 'yes'") == [(2,)]
