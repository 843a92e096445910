"""Django's MySQL backend with a bounded connection pool per process.

A process runs many more threads than it needs connections, since most of them wait for a model.
Django keeps a connection per thread; django-db-connection-pool pings and rolls back on every use,
three round trips where one is needed. Here, a connection that was used within the last second is
reused without a check.
"""

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

import MySQLdb
from django.db import Error
from django.db.backends.mysql import base

from core.database.errors import is_conflict
from core.database.transactions import PAUSES
from core.mysql_pool.hosts import UNFIT, Address, Hosts, see_other_nodes
from core.mysql_pool.schema import SchemaEditor

WAIT_SECONDS = 2.5
TRUSTED_IDLE_SECONDS = 1.0


class Pool:
    """A pool of at most `size` open connections, last in, first out."""

    def __init__(self, size: int) -> None:
        self._places = threading.BoundedSemaphore(size)
        self._idle: list[tuple[Any, float]] = []

    def take(self, connect: Callable[[], Any]) -> Any:
        """Check out a live connection; raises MySQLdb.OperationalError if none is free within
        WAIT_SECONDS."""
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise MySQLdb.OperationalError(1040, "Every connection of this process is in use.")
        try:
            return self._living_idle() or connect()
        except BaseException:
            self._places.release()
            raise

    def _living_idle(self) -> Any:
        while idle := self._pop_idle():
            connection, since = idle
            if time.monotonic() - since < TRUSTED_IDLE_SECONDS or is_alive(connection):
                return connection
            connection.close()
        return None

    def _pop_idle(self) -> tuple[Any, float] | None:
        """An idle connection that no other thread has, and when it was given back; None if there
        is none."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def give_back(self, connection: Any) -> None:
        self._idle.append((connection, time.monotonic()))
        self._places.release()

    def discard(self, connection: Any) -> None:
        """Close a connection that may be broken, and all idle ones, which probably are too."""
        try:
            connection.close()
            while idle := self._pop_idle():
                idle[0].close()
        finally:
            self._places.release()


def is_alive(connection: Any) -> bool:
    try:
        connection.ping()
    except MySQLdb.Error:
        return False
    return True


class CursorWrapper(base.CursorWrapper):
    """A cursor that retries a statement after a conflict, if it is not part of a transaction."""

    def __init__(self, cursor: Any, wrapper: "DatabaseWrapper") -> None:
        super().__init__(cursor)
        self._wrapper = wrapper

    def execute(self, query: str, args: Any = None) -> Any:
        for pause in PAUSES:
            try:
                return super().execute(query, args)
            except MySQLdb.OperationalError as error:
                self._wrapper.note(error)
                if not is_conflict(error) or not self._wrapper.autocommit:
                    raise
            time.sleep(pause)
        return super().execute(query, args)


_pools: dict[tuple[Any, ...], tuple[Pool, Hosts]] = {}
_pools_lock = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """A thread's database wrapper; close() returns its connection to the pool."""

    SchemaEditorClass = SchemaEditor
    _pool: Pool | None = None
    _is_clean = False
    _is_unfit = False

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        self._pool_size = params.pop("pool_size")
        self._addresses: list[Address] = params.pop("hosts", [])
        return params

    def connect(self) -> None:
        """Connect as Django does, but skip the setup after a clean close()."""
        if self._is_clean and self._pool:
            self.connection = self._pool.take(self._open)
            self.connection.autocommit(True)
        else:
            super().connect()

    def create_cursor(self, name: str | None = None) -> CursorWrapper:
        return CursorWrapper(self.connection.cursor(), self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        # The figures may be read from the same server as another user.
        names = ("user", "host", "port", "unix_socket", "database")
        key = (*(conn_params.get(name) for name in names), *self._addresses)
        new = Pool(self._pool_size), Hosts(self._addresses)
        with _pools_lock:
            self._pool, hosts = _pools.setdefault(key, new)
        self._open = functools.partial(self._connect_to_any, hosts, conn_params)
        return self._pool.take(self._open)

    def _connect_to_any(self, hosts: Hosts, conn_params: dict[str, Any]) -> Any:
        if not self._addresses:
            return self._connect_to_one(conn_params)
        return hosts.connect(
            lambda to: self._connect_to_one(conn_params | {"host": to[0], "port": to[1]})
        )

    def _connect_to_one(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        see_other_nodes(connection)
        return connection

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        except Error as error:  # Django's, made of the driver's
            self.note(error)
            raise

    def note(self, error: Exception) -> None:
        """Remember that this connection's host is unfit, if there are other hosts."""
        self._is_unfit |= bool(self._addresses and error.args and error.args[0] in UNFIT)

    def is_usable(self) -> bool:
        return not self._is_unfit and bool(super().is_usable())

    def _close(self) -> None:
        if self.connection is None or self._pool is None:
            return
        is_broken = self.errors_occurred or self.in_atomic_block or not self.get_autocommit()
        is_broken, self._is_unfit = is_broken or self._is_unfit, False
        self._is_clean = not is_broken
        with self.wrap_database_errors:
            (self._pool.discard if is_broken else self._pool.give_back)(self.connection)
