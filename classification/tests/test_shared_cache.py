"""Hot entries in Redis, shared by hosts."""

import hashlib
import json
import pickle
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from redis import Redis
from redis.exceptions import RedisError

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.ports import free_port
from tests.support.servers import (
    ScratchDatabase,
    copy_database,
    manage,
    running_server,
    unmigrated_database,
)

pytestmark = pytest.mark.timeout(180)


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


def test_a_redis_outage_only_costs_time(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    data = photo()
    away = f"redis://127.0.0.1:{free_port()}/0"
    with running_server(database, dashscope, CACHE_URL=away) as server:
        first, second = server.upload(data).json(), server.upload(data).json()

    assert (first["source"], second["source"]) == ("llm", "cache")


def test_what_others_keep_in_the_same_redis_is_not_an_answer(
    database: ScratchDatabase,
    migrated_database: ScratchDatabase,
    dashscope: DashScopeServer,
    tmp_path: Path,
) -> None:
    """Neither another installation's, nor what a release of another format left."""
    url = "redis://127.0.0.1:6379/9"
    redis = Redis.from_url(url)
    redis.flushdb()
    data, other = photo(), tmp_path / "other"
    other.mkdir()
    image_hash = hashlib.sha256(data).hexdigest()
    with running_server(database, dashscope, CACHE_URL=url, WEB_WORKERS="1") as server:
        server.upload(data)
        assert server.check(image_hash).json()["cached"]
        with unmigrated_database(other) as second:
            copy_database(migrated_database, second)
            with running_server(second, dashscope, CACHE_URL=url, WEB_WORKERS="1") as neighbour:
                assert not neighbour.check(image_hash).json()["cached"]
        keys = [key for key in redis.scan_iter() if image_hash.encode() in key]
        assert keys
        for value in (b"\x80\x05cno.such.module\nAnswer\n.", b"7", pickle.dumps("an answer"), b""):
            for key in keys:
                redis.set(key, value)
            assert server.check(image_hash).json()["cached"], value


class Planted:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def test_odd_values_in_redis_are_misses_and_run_no_code(
    database: ScratchDatabase, dashscope: DashScopeServer, tmp_path: Path
) -> None:
    url = "redis://127.0.0.1:6379/9"
    redis = Redis.from_url(url)
    try:
        redis.flushdb()
    except RedisError:
        pytest.skip("needs Redis on 127.0.0.1:6379: apt-get install redis-server")
    data = photo()
    image_hash = hashlib.sha256(data).hexdigest()
    evil = tmp_path / "evil"
    with running_server(database, dashscope, CACHE_URL=url, WEB_WORKERS="1") as server:
        server.upload(data)
        server.check(image_hash)
        [key] = redis.keys(f"*{image_hash}")
        ours = json.loads(redis.get(key) or b"")
        odd = [
            pickle.dumps(Planted(evil)),
            b"",
            b"\xff\xfe",
            b"7",
            b'"text"',
            b"[]",
            b"{}",
            b"[" * 100_000,
            json.dumps([*ours, 1]).encode(),
            json.dumps(["0" * 64, *ours[1:]]).encode(),
            json.dumps([*ours[:2], "2.5", *ours[3:]]).encode(),
            json.dumps([*ours[:2], "NaN", *ours[3:]]).encode(),
            json.dumps([*ours[:3], 7, *ours[4:]]).encode(),
            json.dumps([*ours[:6], "one", *ours[7:]]).encode(),
        ]
        for value in odd:
            redis.set(key, value)
            answer = server.check(image_hash)
            assert (answer.status_code, answer.json()["data"]["category"]) == (200, "pets")
        redis.delete(key)
        redis.rpush(key, "a list, which is no string")
        assert server.check(image_hash).json()["cached"]
    assert not evil.exists()


def test_a_redis_cluster_only_costs_time(
    database: ScratchDatabase, dashscope: DashScopeServer, tmp_path: Path
) -> None:
    """A node of a cluster sends its clients elsewhere, which ours does not follow."""
    if not shutil.which("redis-server"):
        pytest.skip("needs redis-server: apt-get install redis-server")
    key = json.loads(manage(database, "create_app", "camera", "--json"))["key"]
    port, data = free_port(), photo()
    options = [
        "--port",
        str(port),
        "--cluster-enabled",
        "yes",
        "--save",
        "",
        "--dir",
        str(tmp_path),
    ]
    node = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    try:
        with running_server(
            database, dashscope, CACHE_URL=f"redis://127.0.0.1:{port}/0", WEB_WORKERS="1"
        ) as server:
            answers = [server.upload(data, headers={"X-API-Key": key}).json() for _ in range(2)]
            usage = requests.get(
                f"{server.base_url}/usage", headers={"X-API-Key": key}, timeout=30
            ).json()
    finally:
        node.kill()
        node.wait(60)

    assert [answer["source"] for answer in answers] == ["llm", "cache"]
    assert usage["data"]["new_photos"]["used"] == 1
