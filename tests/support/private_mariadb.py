"""A MariaDB server private to a test, which may stop, kill and restart it."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.servers import ScratchDatabase, copy_to_server, migrate


class MariaDBProcess:
    """A server process on a folder that install() has filled, with a port of its own. `admin` is
    root's connection to it, `database` the one that create() makes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.admin = ScratchDatabase(f"mysql://root@127.0.0.1:{self.port}/mysql")
        self.database = ScratchDatabase(f"mysql://root@127.0.0.1:{self.port}/private")

    def create(self, like: ScratchDatabase | None = None) -> None:
        """Create `database`, empty and migrated, as a copy of `like` if given."""
        self.admin.query("CREATE DATABASE private CHARACTER SET utf8mb4")
        if like:
            copy_to_server(like, self.database)
        else:
            migrate(self.database)

    def create_app_user(self) -> None:
        """Create the user of app_database(), an ordinary one, whom read_only binds."""
        self.admin.run(["CREATE USER app@127.0.0.1", "GRANT ALL ON private.* TO app@127.0.0.1"])

    def kill(self) -> None:
        """kill -9, as a crash does it."""
        if self._process:
            self._process.kill()
            self._process.wait(60)

    def freeze(self) -> None:
        """Take connections and say nothing, as a host does that is out of memory."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGCONT)


class PrivateMariaDB(MariaDBProcess):
    """A server with `options` of mariadbd."""

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__(folder)
        self._options = options

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                "mariadbd",
                "--no-defaults",
                f"--datadir={self.folder}",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                f"--socket={self.folder / 's.sock'}",
                "--user=root",
                *self._options,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                self.admin.query("SELECT 1")
            except Exception:
                time.sleep(0.1)
            else:
                return
        pytest.fail("The private MariaDB did not start.")


def app_database(*servers: MariaDBProcess) -> ScratchDatabase:
    """The database on several servers, to be tried in this order, as its ordinary user."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return ScratchDatabase(f"mysql://app@{hosts}/private")


def install(folder: Path, *options: str, user: str = "root") -> None:
    """Fill an empty folder with the system tables of a new server, which runs as `user`."""
    for program in ("mariadbd", "mariadb-install-db"):
        if not shutil.which(program):
            pytest.skip(f"needs {program}: apt-get install mariadb-server")
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={folder}",
            f"--user={user}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *options,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


@contextmanager
def private_mariadb(folder: Path, like: ScratchDatabase | None = None) -> Iterator[PrivateMariaDB]:
    """A running server with an empty, migrated database, or a copy of one."""
    install(folder)
    server = PrivateMariaDB(folder, "--skip-log-bin")
    server.start()
    try:
        server.create(like)
        yield server
    finally:
        server.kill()
