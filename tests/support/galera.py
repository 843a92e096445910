"""A real three-node Galera cluster on loopback whose nodes can be killed or stopped."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.private_mariadb import MariaDBProcess, app_database, install
from tests.support.servers import ScratchDatabase
from tests.support.waiting import wait_until

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
NODES = 3
START_SECONDS = 60
# As root, rsync would write as nobody.
USER = "mysql" if os.geteuid() == 0 else getpass.getuser()
# A node that is silent for so long is put out of the cluster.
SUSPECT_SECONDS = 3


class Node(MariaDBProcess):
    """One server of the cluster."""

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__(folder / f"node-{number}")
        self.group_port = free_port()
        self._ist_port = free_port()
        self._sst_port = free_port()

    def start(self, members: list["Node"], *, is_first: bool = False, position: str = "") -> None:
        """Start it where it left off: at `position`, or where it knows by itself after stop(). It
        makes a new cluster if it is the first one."""
        command = self._command(members)
        if position:
            command.append(f"--wsrep-start-position={position}")
        if is_first:
            command.append("--wsrep-new-cluster")
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def position(self, members: list["Node"]) -> str:
        """Where it left off when it was killed, as galera_recovery finds it out."""
        log = self.folder / "recovery.log"
        command = [*self._command(members), "--wsrep-recover", f"--log-error={log}"]
        subprocess.run(command, check=True, capture_output=True, timeout=START_SECONDS)
        return log.read_text().rpartition("Recovered position: ")[2].split()[0]

    def _command(self, members: list["Node"]) -> list[str]:
        provider_options = {
            "base_port": self.group_port,
            "gmcast.listen_addr": f"tcp://127.0.0.1:{self.group_port}",
            "ist.recv_addr": f"127.0.0.1:{self._ist_port}",
            "gcache.size": "32M",
            "evs.suspect_timeout": f"PT{SUSPECT_SECONDS}S",
            "evs.inactive_timeout": f"PT{2 * SUSPECT_SECONDS}S",
        }
        addresses = ",".join(f"127.0.0.1:{node.group_port}" for node in members)
        options = {
            "datadir": self.folder,
            "port": self.port,
            "bind-address": "127.0.0.1",
            "socket": self.folder / "s.sock",
            "pid-file": self.folder / "pid",
            "user": USER,
            "log-error": self.folder / "error.log",
            "binlog-format": "ROW",
            "innodb-autoinc-lock-mode": 2,
            "innodb-log-file-size": "8M",
            "innodb-buffer-pool-size": "32M",
            "wsrep-on": "ON",
            "wsrep-provider": PROVIDER,
            "wsrep-cluster-name": "test",
            "wsrep-cluster-address": f"gcomm://{addresses}",
            "wsrep-node-address": "127.0.0.1",
            # Each node waits for a whole copy, though a few missed writes are all that it is sent.
            "wsrep-sst-method": "rsync",
            "wsrep-sst-receive-address": f"127.0.0.1:{self._sst_port}",
            "wsrep-node-name": f"node-{self.port}",
            "wsrep-provider-options": ";".join(f"{k}={v}" for k, v in provider_options.items()),
        }
        return ["mariadbd", "--no-defaults", *(f"--{k}={v}" for k, v in options.items())]

    def wait_until_synced(self) -> None:
        wait_until(lambda: self.status("wsrep_local_state_comment") == "Synced", START_SECONDS)

    def status(self, name: str) -> str:
        """A variable of its status; empty while it does not answer."""
        with suppress(Exception):
            return str(self.admin.query(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])
        return ""

    def stop(self) -> None:
        """Shut it down in order."""
        if self._process:
            self._process.terminate()
            self._process.wait(START_SECONDS)

    def isolate(self, is_alone: bool) -> None:
        """Cut its connections to the other nodes, or let it have them again."""
        option = f"gmcast.isolate={int(is_alone)}"
        self.admin.query(f"SET GLOBAL wsrep_provider_options = '{option}'")


class Cluster:
    """Three nodes with one database."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [Node(folder, number) for number in range(NODES)]

    def start(self, like: ScratchDatabase | None) -> None:
        """Make the database on one node, and begin with copies of that."""
        first, *others = self.nodes
        first.start([first], is_first=True)
        first.wait_until_synced()
        first.create(like)
        first.create_app_user()
        first.stop()
        for node in others:
            without = shutil.ignore_patterns("*.sock", "gvwstate.dat", "pid")
            shutil.copytree(first.folder, node.folder, ignore=without)
            _give_away(node.folder)
        first.start(self.nodes, is_first=True)
        first.wait_until_synced()
        for node in others:
            node.start(self.nodes)
            node.wait_until_synced()

    def rejoin(self, node: Node) -> None:
        """Start a node that was killed, and wait until it has caught up."""
        node.start(self.nodes, position=node.position(self.nodes))
        self.wait_until_whole()

    def wait_until_whole(self) -> None:
        """Until every node sees all of them, and writes."""
        wait_until(lambda: self._states("cluster_size") == {str(NODES)}, START_SECONDS)
        wait_until(lambda: self._states("local_state_comment") == {"Synced"}, START_SECONDS)

    def wait_until_level(self) -> None:
        """Until every node has what any of them has, while nobody writes much."""
        self.wait_until_whole()
        wait_until(lambda: len(self._states("last_committed")) == 1, START_SECONDS)

    def _states(self, name: str) -> set[str]:
        return {node.status(f"wsrep_{name}") for node in self.nodes}

    def app_database(self, first: int) -> ScratchDatabase:
        """The database on all nodes, of which number `first` is tried first."""
        return app_database(*self.nodes[first:], *self.nodes[:first])


def _give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", USER, str(folder)], check=True)


@contextmanager
def galera_cluster(like: ScratchDatabase | None = None) -> Iterator[Cluster]:
    """A running cluster with an empty, migrated database, or a copy of one."""
    if not (shutil.which("mariadbd") and shutil.which("rsync") and PROVIDER.exists()):
        pytest.skip("needs a cluster: apt-get install mariadb-server galera-4 rsync")
    folder = Path(tempfile.mkdtemp(prefix="galera-"))
    _give_away(folder)
    cluster = Cluster(folder)
    first = cluster.nodes[0]
    first.folder.mkdir()
    _give_away(first.folder)
    install(first.folder, "--innodb-log-file-size=8M", user=USER)
    try:
        cluster.start(like)
        yield cluster
    finally:
        for node in cluster.nodes:
            node.thaw()
            node.kill()
        shutil.rmtree(folder)
