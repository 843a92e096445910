"""Django's MySQL backend over a bounded pool of connections per process.

A process runs many more threads than it needs connections, since most of them wait for a
model. Django keeps a connection per thread; django-db-connection-pool pings and rolls back
on every use, three round trips where one is needed. Here a connection that was used within
the last second is handed on as it is.
"""

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

import MySQLdb
from django.db.backends.mysql import base

from classifier_project.mysql_pool.schema import SchemaEditor

WAIT_SECONDS = 2.5
TRUSTED_IDLE_SECONDS = 1.0


class Pool:
    """At most `size` open connections, the last one used handed out first."""

    def __init__(self, size: int) -> None:
        self._places = threading.BoundedSemaphore(size)
        self._idle: list[tuple[Any, float]] = []

    def take(self, connect: Callable[[], Any]) -> Any:
        """A living connection; raises MySQLdb.OperationalError when none comes free in time."""
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise MySQLdb.OperationalError(1040, "Every connection of this process is in use.")
        try:
            return self._living_idle() or connect()
        except BaseException:
            self._places.release()
            raise

    def _living_idle(self) -> Any:
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:  # another thread took the last one
                return None
            if time.monotonic() - since < TRUSTED_IDLE_SECONDS or is_alive(connection):
                return connection
            connection.close()
        return None

    def give_back(self, connection: Any) -> None:
        self._idle.append((connection, time.monotonic()))
        self._places.release()

    def discard(self, connection: Any) -> None:
        """Close a connection that may be broken, and the idle ones, which are likely so too."""
        idle, self._idle = self._idle, []
        try:
            for each in [connection, *(other for other, _ in idle)]:
                each.close()
        finally:
            self._places.release()


def is_alive(connection: Any) -> bool:
    try:
        connection.ping()
    except MySQLdb.Error:
        return False
    return True


_pools: dict[str, Pool] = {}
_pools_lock = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """A thread's view of the database; its connection goes back to the pool on close()."""

    SchemaEditorClass = SchemaEditor
    _pool: Pool | None = None
    _is_clean = False

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        self._pool_size = params.pop("pool_size")
        return params

    def connect(self) -> None:
        """As Django does; but nothing needs setting up again after a clean close()."""
        if self._is_clean and self._pool:
            self.connection = self._pool.take(self._open)
            self.connection.autocommit(True)
        else:
            super().connect()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        key = f"{conn_params.get('host')}:{conn_params.get('port')}/{conn_params.get('database')}"
        with _pools_lock:
            self._pool = _pools.setdefault(key, Pool(self._pool_size))
        self._open = functools.partial(super().get_new_connection, conn_params)
        return self._pool.take(self._open)

    def _close(self) -> None:
        if self.connection is None or self._pool is None:
            return
        is_broken = self.errors_occurred or self.in_atomic_block or not self.get_autocommit()
        self._is_clean = not is_broken
        with self.wrap_database_errors:
            (self._pool.discard if is_broken else self._pool.give_back)(self.connection)
