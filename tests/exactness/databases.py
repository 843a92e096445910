"""What the service under attack keeps its tables in: a file, one server, or a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.galera import Cluster, galera_cluster
from tests.support.private_mariadb import PrivateMariaDB, private_mariadb
from tests.support.proxy import Proxy
from tests.support.servers import ScratchDatabase, migrate


@dataclass
class Databases:
    """`direct` is what the harness asks; `of_hosts` has what each host is given."""

    direct: ScratchDatabase
    of_hosts: list[ScratchDatabase]
    mariadb: PrivateMariaDB | None = None
    proxy: Proxy | None = None
    cluster: Cluster | None = None


@contextmanager
def a_file(folder: Path, empty: ScratchDatabase | None) -> Iterator[Databases]:
    """SQLite, on one host; `empty` itself, if it is there."""
    database = empty or ScratchDatabase(f"sqlite:///{folder}/db.sqlite3")
    if not empty:
        migrate(database)
    yield Databases(database, [database])


@contextmanager
def a_server(folder: Path, empty: ScratchDatabase | None) -> Iterator[Databases]:
    """MariaDB behind a wire that can be cut, for two hosts."""
    (folder / "mariadb").mkdir()
    with private_mariadb(folder / "mariadb", empty) as server, Proxy(server.port) as proxy:
        url = server.database.url.replace(f":{server.port}/", f":{proxy.port}/")
        yield Databases(server.database, [ScratchDatabase(url)] * 2, server, proxy)


@contextmanager
def a_cluster(folder: Path, empty: ScratchDatabase | None) -> Iterator[Databases]:
    """Three nodes, of which two hosts prefer different ones."""
    with galera_cluster(empty) as cluster:
        of_hosts = [cluster.app_database(first) for first in (0, 1)]
        yield Databases(cluster.nodes[0].database, of_hosts, cluster=cluster)


KINDS = {"sqlite": a_file, "mariadb": a_server, "cluster": a_cluster}
