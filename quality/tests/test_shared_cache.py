"""A correction that comes from votes, on hosts that share their hot entries."""

import json

import pytest
import requests
from redis import Redis
from redis.exceptions import RedisError

from tests.support.api import sha256
from tests.support.apps import bearer
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import RunningServer, ScratchDatabase, manage, running_server

pytestmark = pytest.mark.timeout(180)

REDIS = "redis://127.0.0.1:6379/9"


def say(server: RunningServer, key: str, user: str, image_hash: str) -> None:
    base = server.base_url
    token = requests.post(
        f"{base}/auth/token", json={"user_id": user}, headers=bearer(key), timeout=10
    ).json()["token"]
    said = {"image_hash": image_hash, "category": "foods"}
    answer = requests.post(
        f"{base}/classify/feedback", json=said, headers=bearer(token), timeout=10
    )
    assert answer.status_code == 202


def test_hosts_that_share_redis_see_a_correction_by_users_at_once(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    try:
        Redis.from_url(REDIS).flushdb()
    except RedisError:
        pytest.skip("needs Redis on 127.0.0.1:6379: apt-get install redis-server")
    key = json.loads(manage(database, "create_app", "camera", "--json"))["key"]
    database.query("UPDATE client_app SET corrections_by_users = 2 WHERE name = 'camera'")
    data = photo()
    with (
        running_server(database, dashscope, CACHE_URL=REDIS, WEB_WORKERS="1") as first,
        running_server(database, dashscope, CACHE_URL=REDIS, WEB_WORKERS="1") as second,
    ):
        first.upload(data)
        seen = []
        for user in ("anna", "ben"):
            answers = [server.check(sha256(data)).json() for server in (first, second)]
            seen.append([answer["data"]["category"] for answer in answers])
            say(first, key, user, sha256(data))
        answers = [server.check(sha256(data)).json() for server in (first, second)]
        seen.append([answer["data"]["category"] for answer in answers])

    assert seen == [["pets"] * 2, ["pets"] * 2, ["foods"] * 2]
