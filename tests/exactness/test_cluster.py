"""Writers on several nodes of a real Galera cluster: one is killed and comes back, one is
slow, one read-only, one cut off."""

import time
from collections.abc import Iterator

import pytest

from tests.exactness.steady_load import CALM_SECONDS, assert_exact, two_hosts_under_load
from tests.support.galera import Cluster, galera_cluster
from tests.support.pictures import photo
from tests.support.servers import ScratchDatabase, manage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.mariadb, pytest.mark.timeout(400)]

SLOW_SECONDS = 5.0
# On a busy machine.
LONG_SECONDS = 60.0


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
