"""Forgetting in running servers, which go on answering the very person."""

import json
import threading
from itertools import count
from pathlib import Path

import pytest
import requests
from redis import Redis
from redis.exceptions import RedisError

from tests.support.apps import bearer
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import RunningServer, ScratchDatabase, manage, running_server
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

ANNA, ADDRESS = "anna-7f3", "203.0.113.77"
REDIS = "redis://127.0.0.1:6379/8"


def tables(database: ScratchDatabase) -> list[str]:
    names = "SHOW TABLES"
    if database.url.startswith("sqlite"):
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
    return [name for (name,) in database.query(names)]


def everything(database: ScratchDatabase) -> str:
    return "\n".join(
        f"{table}: {row}"
        for table in tables(database)
        for row in database.query(f"SELECT * FROM {table}")
    )


def shared_cache() -> str | None:
    """Every key of Redis with its value; None without Redis."""
    redis = Redis.from_url(REDIS)
    try:
        keys = list(redis.scan_iter())
    except RedisError:
        return None
    return "\n".join(f"{key!r}: {redis.get(key)!r}" for key in keys)


def live(server: RunningServer, key: dict[str, str], seed: int) -> None:
    """An upload of a copy, with the original's hash, and a question; by the person."""
    headers = key | {"X-User-ID": ANNA, "X-Forwarded-For": ADDRESS}
    original = f"{seed:064x}"
    requests.post(
        f"{server.base_url}/classify",
        files={"image": ("p.jpg", photo(seed=seed), "image/jpeg")},
        data={"image_hash": original},
        headers=headers,
        timeout=60,
    )
    for path, body in (
        ("check-cache", {"image_hash": original}),
        ("feedback", {"image_hash": original, "category": "foods"}),
    ):
        requests.post(f"{server.base_url}/classify/{path}", json=body, headers=headers, timeout=60)


def test_a_person_who_goes_on_asking_is_forgotten(
    database: ScratchDatabase, dashscope: DashScopeServer, tmp_path: Path
) -> None:
    limits = ("--user-new-photos-per-day", "999", "--requests-per-minute", "9999")
    made = manage(database, "create_app", "camera", "--json", *limits)
    key = bearer(json.loads(made)["key"])
    log = tmp_path / "service.log"
    options = {"LOG_FILE": str(log), "LOG_LEVEL": "DEBUG", "TRUSTED_PROXIES": "127.0.0.1"}
    if shared_cache() is not None:
        options["CACHE_URL"] = REDIS
    rounds, stopped = count(1), threading.Event()
    with running_server(database, dashscope, **options) as server:

        def go_on() -> None:
            while not stopped.is_set():
                live(server, key, next(rounds))

        live(server, key, next(rounds))
        before = shared_cache()
        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            answer = requests.delete(f"{server.base_url}/users/{ANNA}", headers=key, timeout=60)
            assert answer.status_code == 202
            wait_until(lambda: database.value("SELECT COUNT(*) FROM client_forgotten_user"))
            # What comes in from now until it is done goes with the rest.
            live(server, key, next(rounds))
        finally:
            stopped.set()
            thread.join()
        finished = "SELECT COUNT(*) FROM privacy_erasure WHERE finished_at IS NOT NULL"
        wait_until(lambda: database.value(finished), seconds=90)
        shared = shared_cache()
    left = everything(database)

    assert ANNA not in left
    assert ADDRESS not in left
    assert ANNA not in log.read_text()
    assert ADDRESS not in log.read_text()
    assert database.value("SELECT COUNT(*) FROM request_log WHERE request_id = 'forgotten'") > 2
    if before is None or shared is None:
        pytest.skip("needs Redis on 127.0.0.1:6379 for its last part: apt-get install redis-server")
    assert "requests-" in before  # of this minute, by which the app is limited
    assert ANNA not in shared
    assert ADDRESS not in shared
