"""What goes wrong meanwhile, as data: a name, and a function that breaks and mends it."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress

import redis

from tests.exactness.model import WEATHER
from tests.exactness.world import Host, World, signal_worker
from tests.support.galera import SUSPECT_SECONDS, Cluster, Node

# A commit's acknowledgement is waited for 3 s.
SLOW_COMMIT_SECONDS = 4.0


def _host(world: World) -> Host:
    return world.rng.choice(world.hosts)


def kill_host(world: World) -> None:
    host = _host(world)
    host.kill()
    time.sleep(world.rng.uniform(0, 1))
    host.start()


def restart_host(world: World) -> None:
    host = _host(world)
    host.stop()
    host.start()


def kill_worker(world: World) -> None:
    if workers := _host(world).workers():
        signal_worker(world.rng.choice(workers), signal.SIGKILL)
    world.wait(2)


def pause_worker(world: World) -> None:
    """Swapped out, or on a host that is moved: others take it for dead, and it comes back."""
    if workers := _host(world).workers():
        pid = world.rng.choice(workers)
        signal_worker(pid, signal.SIGSTOP)
        try:
            world.wait(world.rng.uniform(1, 10))
        finally:
            signal_worker(pid, signal.SIGCONT)


def change_weather(world: World) -> None:
    world.model.weather = world.rng.choice([name for name in WEATHER if name != "fair"])
    world.wait(world.rng.uniform(2, 6))
    world.model.weather = "fair"


def kill_database(world: World) -> None:
    assert world.databases.mariadb
    world.databases.mariadb.kill()
    world.wait(world.rng.uniform(0, 3))
    world.databases.mariadb.start()


def freeze_database(world: World) -> None:
    assert world.databases.mariadb
    world.databases.mariadb.freeze()
    world.wait(world.rng.uniform(0.5, 6))
    world.databases.mariadb.thaw()


def cut_database(world: World) -> None:
    proxy = world.databases.proxy
    assert proxy
    for _ in range(world.rng.randrange(1, 6)):
        proxy.cut()
        world.wait(0.4)
    proxy.close()
    world.wait(world.rng.uniform(0, 2))
    proxy.open()


def slow_commits(world: World) -> None:
    assert world.databases.proxy
    world.databases.proxy.commit_delay = SLOW_COMMIT_SECONDS
    world.wait(world.rng.uniform(3, 6))
    world.databases.proxy.commit_delay = 0.0


def _node(world: World) -> tuple[Cluster, Node]:
    assert world.databases.cluster
    return world.databases.cluster, world.rng.choice(world.databases.cluster.nodes)


def kill_node(world: World) -> None:
    cluster, node = _node(world)
    node.kill()
    world.wait(world.rng.uniform(0, 5))
    cluster.rejoin(node)


def restart_node(world: World) -> None:
    cluster, node = _node(world)
    node.stop()
    world.wait(world.rng.uniform(0, 3))
    node.start(cluster.nodes)
    cluster.wait_until_whole()


def freeze_node(world: World) -> None:
    """All wait for it, until they put it out; then it comes back."""
    cluster, node = _node(world)
    node.freeze()
    world.wait(world.rng.uniform(0.5, 3 * SUSPECT_SECONDS))
    node.thaw()
    cluster.wait_until_whole()


def make_node_read_only(world: World) -> None:
    """As an operator does who wants to work on it."""
    _, node = _node(world)
    node.admin.query("SET GLOBAL read_only = ON")
    world.wait(world.rng.uniform(2, 6))
    node.admin.query("SET GLOBAL read_only = OFF")


def cut_off_node(world: World) -> None:
    """It answers, but has no majority: 1047 to whatever it is asked."""
    cluster, node = _node(world)
    node.isolate(True)
    world.wait(world.rng.uniform(1, 4 * SUSPECT_SECONDS))
    node.isolate(False)
    cluster.wait_until_whole()


def kill_redis(world: World) -> None:
    assert world.redis
    world.redis.kill()
    world.wait(world.rng.uniform(0, 4))
    world.redis.start()


def plant_in_redis(world: World) -> None:
    """Odd values under the keys of photos, from another program or an attacker."""
    assert world.redis
    odd = [b"\x80\x04N.", b"[]", b'["a",1]', b"null", b"{", b'"x"', b"[" * 10_000]
    with suppress(redis.RedisError):
        for key in list(world.redis.client.scan_iter(count=500))[:200]:
            world.redis.client.set(key, world.rng.choice(odd), ex=30)


# How often, compared with others, and how to do it.
Fault = tuple[int, Callable[[World], None]]
# Those after which rows that wait in a process may be gone with it.
KILLS = ("kill_host", "kill_worker")
OF_PROCESSES: dict[str, Fault] = {
    "kill_host": (2, kill_host),
    "restart_host": (2, restart_host),
    "kill_worker": (4, kill_worker),
    "pause_worker": (3, pause_worker),
    "change_weather": (5, change_weather),
}
OF_MARIADB: dict[str, Fault] = {
    "kill_database": (2, kill_database),
    "freeze_database": (3, freeze_database),
    "cut_database": (3, cut_database),
    "slow_commits": (4, slow_commits),
}
OF_CLUSTER: dict[str, Fault] = {
    "kill_node": (3, kill_node),
    "restart_node": (2, restart_node),
    "freeze_node": (3, freeze_node),
    "make_node_read_only": (3, make_node_read_only),
    "cut_off_node": (3, cut_off_node),
}
OF_REDIS: dict[str, Fault] = {"kill_redis": (2, kill_redis), "plant_in_redis": (3, plant_in_redis)}

# Those during which a photo may be asked about twice: its holder was taken for dead, or could not
# say that it had asked.
INTERRUPTIONS = (*KILLS, "pause_worker", "change_weather", *OF_MARIADB, *OF_CLUSTER)


def possible(world: World) -> dict[str, Fault]:
    """The faults that this world can have."""
    faults = dict(OF_PROCESSES)
    if world.databases.mariadb:
        faults |= OF_MARIADB
    if world.databases.cluster:
        faults |= OF_CLUSTER
    if world.redis:
        faults |= OF_REDIS
    return faults
