"""Writers on several nodes of a real Galera cluster: one is killed and comes back, one is
slow, one read-only, one cut off."""

import shutil
import time
from collections.abc import Iterator

import pytest

from tests.exactness.steady_load import CALM_SECONDS, assert_exact, two_hosts_under_load
from tests.exactness.world import RedisServer
from tests.support.api import sha256
from tests.support.dashscope_server import DashScopeServer
from tests.support.galera import Cluster, galera_cluster
from tests.support.pictures import photo
from tests.support.servers import ScratchDatabase, manage, running_server
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.mariadb, pytest.mark.timeout(400)]

SLOW_SECONDS = 5.0
# On a busy machine.
LONG_SECONDS = 60.0
# What another node applies for seconds, row by row.
LARGE_TRANSACTION = [
    "CREATE DATABASE IF NOT EXISTS aside",
    "CREATE TABLE aside.numbers (number INT PRIMARY KEY)",
    "INSERT INTO aside.numbers SELECT seq FROM seq_1_to_600000",
]


@pytest.fixture
def cluster(migrated_database: ScratchDatabase) -> Iterator[Cluster]:
    with galera_cluster(migrated_database) as cluster:
        yield cluster


def test_everything_is_exact_on_a_cluster(cluster: Cluster) -> None:
    """Two hosts begin with different nodes, with a daily limit that both reserve from."""
    databases = [cluster.app_database(first) for first in (0, 1)]
    with two_hosts_under_load(databases) as (apps, model):
        cluster.nodes[1].kill()
        time.sleep(2 * CALM_SECONDS)
        cluster.rejoin(cluster.nodes[1])
        cluster.nodes[2].freeze()
        time.sleep(SLOW_SECONDS)
        cluster.nodes[2].thaw()
        cluster.wait_until_whole()
        cluster.nodes[0].admin.query("SET GLOBAL read_only = ON")
        cluster.nodes[1].isolate(True)
        wait_until(lambda: cluster.nodes[1].status("wsrep_ready") == "OFF", LONG_SECONDS)
        for server in apps.servers:  # only the third node takes what they write
            wait_until(lambda at=server: at.upload(photo(seed=apps.number())).ok, LONG_SECONDS)  # type: ignore[misc]
        cluster.nodes[0].admin.query("SET GLOBAL read_only = OFF")
        cluster.nodes[1].isolate(False)
        apps.stop()
        time.sleep(CALM_SECONDS)
        manage(databases[0], "roll_up_stats")
    cluster.wait_until_level()
    assert_exact(cluster.nodes[0].database, apps, model)


@pytest.fixture
def shared_cache() -> Iterator[RedisServer]:
    if not shutil.which("redis-server"):
        pytest.skip("needs Redis: apt-get install redis-server")
    server = RedisServer()
    server.start()
    yield server
    server.kill()


def test_a_hit_on_an_answer_that_has_not_reached_its_hosts_node_is_counted(
    cluster: Cluster, shared_cache: RedisServer
) -> None:
    """The shared cache is faster than the cluster, where a large transaction is still applied."""
    data = photo()
    settings = {"WEB_WORKERS": "1", "CACHE_URL": shared_cache.url}
    with (
        DashScopeServer() as model,
        running_server(cluster.app_database(0), model, **settings) as one,
        running_server(cluster.app_database(1), model, **settings) as two,
    ):
        two.upload(photo(seed=1))  # with the first prompt version
        cluster.nodes[0].admin.run(LARGE_TRANSACTION)
        assert one.upload(data).json()["from_cache"] is False
        assert one.check(sha256(data)).json()["from_cache"] is True
        while (
            cluster.nodes[1].database.value("SELECT COUNT(*) FROM image_classification_cache") < 2
        ):
            assert two.check(sha256(data)).json()["from_cache"] is True
            time.sleep(0.1)
        last = two.check(sha256(data)).json()
        wait_until(lambda: is_logged(cluster.nodes[0].database, last["request_id"]), LONG_SECONDS)
    cluster.wait_until_level()

    database = cluster.nodes[0].database
    hits = database.value("SELECT COUNT(*) FROM request_log WHERE from_cache")
    assert hits > 1
    assert database.value("SELECT MAX(hit_count) - 1 FROM image_classification_cache") == hits


def is_logged(database: ScratchDatabase, request_id: str) -> bool:
    found = f"SELECT COUNT(*) FROM request_log WHERE request_id = '{request_id}'"
    return bool(database.value(found))
