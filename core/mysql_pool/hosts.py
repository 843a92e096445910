"""Failover between several hosts of one database: nodes of a cluster, or a primary and its
standbys."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import MySQLdb

# Errors of a node that responds but no longer accepts writes: it lost its cluster, also in the
# middle of a commit, or was demoted to a replica. Its connections are useless.
UNFIT = {1047, 1180, 1290, 1836}
READ_ONLY = "SELECT @@global.read_only"
CLUSTER = "SHOW GLOBAL STATUS LIKE 'wsrep_%'"
IS_NODE = "SHOW VARIABLES LIKE 'wsrep_on'"
# Before UPDATE and DELETE (2), and before INSERT and REPLACE (4); reads do not wait.
WAIT_BEFORE_WRITES = "SET SESSION wsrep_sync_wait = 6"

Address = tuple[str, int]


class Hosts:
    """Connects to the first of `addresses` that responds and accepts writes, and stays with it as
    long as it does."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = addresses
        self._current = 0
        self._lock = threading.Lock()

    def connect(self, connect: Callable[[Address], Any]) -> Any:
        """A connection to the current host, or else to the next usable one; raises the error of the
        last."""
        start, count = self._current, len(self._addresses)
        for offset in range(count):
            index = (start + offset) % count
            try:
                connection = connect(self._addresses[index])
                check_fitness(connection)
            except MySQLdb.OperationalError:
                if offset + 1 == count:
                    raise
            else:
                self._stay_with(index, start)
                return connection
        raise AssertionError  # there is at least one

    def _stay_with(self, index: int, start: int) -> None:
        with self._lock:
            if self._current == start:  # otherwise another thread has switched already
                self._current = index


def check_fitness(connection: Any) -> None:
    """Raise OperationalError, and close the connection, if its node does not accept writes."""
    cursor = connection.cursor()
    try:
        cursor.execute(READ_ONLY)
        is_read_only = bool(int(cursor.fetchone()[0]))
        cursor.execute(CLUSTER)
        status = dict(cursor.fetchall())
        is_node = bool(status.get("wsrep_provider_name"))
        if is_read_only or (is_node and status["wsrep_ready"] != "ON"):
            raise MySQLdb.OperationalError(1290, "This host takes no writes.")
    except MySQLdb.Error:
        connection.close()
        raise
    cursor.close()


def see_other_nodes(connection: Any) -> None:
    """On a node of a cluster, let each write wait until the node has applied what others committed
    before: an UPDATE of a row that has yet to arrive would find nothing, and raise nothing."""
    cursor = connection.cursor()
    cursor.execute(IS_NODE)
    if dict(cursor.fetchall()).get("wsrep_on") == "ON":
        cursor.execute(WAIT_BEFORE_WRITES)
    cursor.close()
