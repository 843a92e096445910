"""A MariaDB of a test's own, which it may stop, kill and start again."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from classification.tests.ports import free_port
from classification.tests.servers import ScratchDatabase, migrate


class PrivateMariaDB:
    """A server on a folder and a port of its own; `database` is an empty, migrated one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._admin = ScratchDatabase(f"mysql://root@127.0.0.1:{self._port}/mysql")
        self.database = ScratchDatabase(f"mysql://root@127.0.0.1:{self._port}/private")

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                "mariadbd",
                "--no-defaults",
                f"--datadir={self._folder}",
                f"--port={self._port}",
                "--bind-address=127.0.0.1",
                f"--socket={self._folder / 's.sock'}",
                "--user=root",
                "--skip-log-bin",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                self._admin.query("SELECT 1")
            except Exception:
                time.sleep(0.1)
            else:
                return
        pytest.fail("The private MariaDB did not start.")

    def kill(self) -> None:
        """kill -9, as a crash does it."""
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def freeze(self) -> None:
        """Take connections and say nothing, as a host does that is out of memory."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def create(self) -> None:
        self._admin.query("CREATE DATABASE private CHARACTER SET utf8mb4")
        migrate(self.database)


@contextmanager
def private_mariadb(folder: Path) -> Iterator[PrivateMariaDB]:
    """A running server with an empty, migrated database."""
    for program in ("mariadbd", "mariadb-install-db"):
        if not shutil.which(program):
            pytest.skip(f"needs {program}: apt-get install mariadb-server")
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={folder}",
            "--user=root",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    server = PrivateMariaDB(folder)
    server.start()
    try:
        server.create()
        yield server
    finally:
        server.kill()
