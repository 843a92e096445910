"""Servers that are replaced, and hosts that die, behind the kit's nginx and under load."""

import collections
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from classification.pipeline.leases import DEAD_SECONDS
from tests.support.dashscope_server import DashScopeServer
from tests.support.load import Load
from tests.support.nginx import HOST, running_nginx
from tests.support.ports import free_port
from tests.support.servers import (
    ScratchDatabase,
    running_server,
)

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("processes")]

MIGRATES = Path("/proc/sys/net/ipv4/tcp_migrate_req")
BEHIND_NGINX = {
    "ALLOWED_HOSTS": f"{HOST},127.0.0.1,127.0.0.2,127.0.0.3",
    "TRUSTED_PROXIES": "127.0.0.1",
    "WEB_WORKERS": "1",
}
# What a killed process had not written yet: buffer.FLUSH_SECONDS, and the time that takes.
UNWRITTEN_SECONDS = 2.0


@pytest.fixture
def dashscope() -> Iterator[DashScopeServer]:
    with DashScopeServer(delay=0.2) as server:
        yield server


@contextmanager
def notify_socket(path: Path) -> Iterator[Callable[[], None]]:
    """The end of NOTIFY_SOCKET that systemd holds for one server: waits until it is ready."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        sock.settimeout(60)

        def wait_until_ready() -> None:
            assert b"READY=1" in sock.recv(1024)

        yield wait_until_ready


def calls_per_photo(dashscope: DashScopeServer) -> collections.Counter[str]:
    """How often each photo was sent to the model."""
    return collections.Counter(
        next(
            part["image"]
            for part in received.body["input"]["messages"][-1]["content"]
            if "image" in part
        )
        for received in dashscope.requests
    )


def log_rows(database: ScratchDatabase) -> dict[str, tuple[str, str]]:
    """The hash and the source of each row of the request log, by request id."""
    rows = database.query("SELECT request_id, image_hash, source FROM request_log")
    by_id = {request_id: (image_hash, source) for request_id, image_hash, source in rows}
    assert len(by_id) == len(rows), "A request was logged twice."
    return by_id


def assert_hits_are_counted(database: ScratchDatabase) -> None:
    """An entry's count is its log rows, the one that made it included."""
    assert database.query(
        "SELECT image_hash, hit_count FROM image_classification_cache ORDER BY image_hash"
    ) == database.query(
        "SELECT image_hash, COUNT(*) FROM request_log WHERE outcome = 'ok' "
        "GROUP BY image_hash ORDER BY image_hash"
    )


@pytest.mark.skipif(
    not MIGRATES.exists() or MIGRATES.read_text().strip() != "1",
    reason="needs Linux 5.14 or later and: sysctl net.ipv4.tcp_migrate_req=1",
)
def test_a_new_server_takes_over_and_no_request_is_dropped(
    database: ScratchDatabase, dashscope: DashScopeServer, tmp_path: Path
) -> None:
    shared = BEHIND_NGINX | {"APP_PORT": str(free_port())}
    one, two = tmp_path / "one", tmp_path / "two"
    with (
        notify_socket(one) as wait_for_old,
        notify_socket(two) as wait_for_new,
        running_server(database, dashscope, NOTIFY_SOCKET=str(one), **shared) as old,
    ):
        wait_for_old()
        with (
            running_nginx(tmp_path, [old.address]) as nginx,
            Load(nginx) as load,
            running_server(database, dashscope, NOTIFY_SOCKET=str(two), **shared) as new,
        ):
            wait_for_new()
            handed_over_at = time.monotonic()
            old.terminate()
            assert old.process.returncode == 0
            stopped_at = time.monotonic()
            time.sleep(2)
            load.stop()
            new.terminate()
            errors = nginx.error_log()

    answers = load.answers
    failed = [answer for answer in answers if answer.status != 200]
    assert not failed, errors
    for begin, end in ((0.0, handed_over_at), (handed_over_at, stopped_at), (stopped_at, 1e12)):
        kinds = {answer.source for answer in answers if begin < answer.at < end}
        assert kinds == {"cache", "llm"}, "There was no load at that time."
    rows = log_rows(database)
    assert {answer.request_id for answer in answers} == set(rows)
    assert_hits_are_counted(database)
    assert set(calls_per_photo(dashscope).values()) == {1}
    assert len(dashscope.requests) == len({image_hash for image_hash, _ in rows.values()})


@pytest.mark.mariadb
def test_a_host_that_dies_takes_nobody_elses_answers_along(
    database: ScratchDatabase, dashscope: DashScopeServer, tmp_path: Path
) -> None:
    redis_url = "redis://127.0.0.1:6379/10"
    try:
        Redis.from_url(redis_url).flushdb()
    except RedisError:
        pytest.skip("needs Redis on 127.0.0.1:6379: apt-get install redis-server")
    shared = BEHIND_NGINX | {"APP_PORT": str(free_port()), "CACHE_URL": redis_url}
    with (
        running_server(database, dashscope, APP_HOST="127.0.0.2", **shared) as survivor,
        running_server(database, dashscope, APP_HOST="127.0.0.3", **shared) as victim,
        running_nginx(tmp_path, [survivor.address, victim.address]) as nginx,
    ):
        with Load(nginx) as load:
            time.sleep(3)
            victim.kill()
            killed_at = time.monotonic()
            time.sleep(DEAD_SECONDS)  # until the leases of the dead host are taken over
        survivor.terminate()
        hosts = {entry["request_id"]: entry["upstream"] for entry in nginx.access_log()}

    answers = load.answers
    failed = [answer for answer in answers if answer.status != 200]
    answered = {answer.request_id: answer for answer in answers if answer.status == 200}
    by_victim = {i for i in answered if hosts[i].endswith(victim.address)}
    assert len(by_victim) > 10
    assert len([i for i in answered if answered[i].at > killed_at]) > 10
    # Errors: only uploads that were in flight on the killed host, and none after it.
    assert [hosts[answer.request_id] for answer in failed] == [victim.address] * len(failed)
    assert not [answer for answer in failed if answer.at > killed_at + UNWRITTEN_SECONDS]
    assert not {answer.image_hash for answer in failed} & {load.known_hash}

    # One call per photo; a second one only where the first died with its host.
    calls = calls_per_photo(dashscope)
    died = {answer.image_hash for answer in failed}
    assert len([image for image, count in calls.items() if count > 1]) <= len(died)
    assert max(calls.values()) <= 2
    assert len(calls) == database.value("SELECT COUNT(*) FROM image_classification_cache")
    assert database.value("SELECT COUNT(*) FROM model_call") == len(calls)

    # Counts: every answer is logged, but free ones of the killed host's last second.
    rows = log_rows(database)
    lost = [answered[i] for i in answered.keys() - rows.keys()]
    assert {answer.source for answer in lost} <= {"cache"}
    assert {answer.request_id for answer in lost} <= by_victim
    assert all(answer.at > killed_at - UNWRITTEN_SECONDS for answer in lost)
    # And nothing is logged that nobody asked: only answers that died on their way.
    assert len(rows.keys() - answered.keys()) <= load.apps
    assert_hits_are_counted(database)
