"""A MariaDB primary and its semi-synchronous replica (AFTER_SYNC)."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.private_mariadb import PrivateMariaDB, install
from tests.support.servers import ScratchDatabase
from tests.support.waiting import wait_until

# A primary goes on without its replica after so long; no test leaves it alone until then.
ALONE_MILLISECONDS = 60_000
LOGGED = ("--log-bin=log", "--binlog-format=ROW", "--innodb-log-file-size=8M")
OF_PRIMARY = (
    "--server-id=1",
    "--rpl-semi-sync-master-enabled=ON",
    "--rpl-semi-sync-master-wait-point=AFTER_SYNC",
    f"--rpl-semi-sync-master-timeout={ALONE_MILLISECONDS}",
)
OF_REPLICA = (
    "--server-id=2",
    "--read-only=ON",
    "--relay-log=relay",
    "--relay-log-recovery=ON",
    "--rpl-semi-sync-slave-enabled=ON",
)


class SemiSyncPair:
    """Both servers."""

    def __init__(self, folder: Path) -> None:
        self.primary = PrivateMariaDB(folder / "primary", *LOGGED, *OF_PRIMARY)
        self.replica = PrivateMariaDB(folder / "replica", *LOGGED, *OF_REPLICA)

    def start(self, like: ScratchDatabase) -> None:
        """Let the replica follow, then make a copy of `like` on the primary."""
        self.primary.start()
        self.replica.start()
        self.replica.admin.run(
            [
                f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={self.primary.port}, "
                "MASTER_USER='root', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1",
                "START SLAVE",
            ]
        )
        self.wait_until_acknowledging()
        self.primary.create(like)
        self.primary.create_app_user()

    def wait_until_acknowledging(self) -> None:
        """Until no commit can be lost with the primary."""
        status = "SHOW STATUS LIKE 'Rpl_semi_sync_master_{}'"
        wait_until(lambda: self._of_primary(status.format("clients")) == "1")
        wait_until(lambda: self._of_primary(status.format("status")) == "ON")

    def _of_primary(self, sql: str) -> str:
        return str(self.primary.admin.query(sql)[0][1])

    def promote(self) -> None:
        """Make a primary of the replica, whose own is dead, once it has done all it was sent."""
        admin = self.replica.admin
        admin.query("STOP SLAVE IO_THREAD")
        done = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE '{}'"
        wait_until(lambda: admin.value(done.format("Slave has read all relay log%")))
        admin.run(["STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = OFF"])


@contextmanager
def semi_sync_pair(folder: Path, like: ScratchDatabase) -> Iterator[SemiSyncPair]:
    """A running pair with a copy of `like`."""
    install(folder / "primary")
    shutil.copytree(folder / "primary", folder / "replica")
    pair = SemiSyncPair(folder)
    try:
        pair.start(like)
        yield pair
    finally:
        for server in (pair.primary, pair.replica):
            server.thaw()
            server.kill()
