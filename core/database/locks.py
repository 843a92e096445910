"""Locks across processes that are released when their holder dies.

They do not depend on the system clock, so clock changes do no harm.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

POLL_SECONDS = 0.1
# After a host lost power, the server keeps its connection for so long.
IDLE_SECONDS = 60


@contextmanager
def exclusive(name: str, *, wait_seconds: int) -> Iterator[bool]:
    """Hold the lock `name` within the block, across all processes on this database.

    Yields whether it was acquired within `wait_seconds`. Raises DatabaseError.
    """
    hold = _hold_on_server if connection.vendor == "mysql" else _hold_file
    with hold(name, wait_seconds) as held:
        yield held


@contextmanager
def _hold_on_server(name: str, wait_seconds: int) -> Iterator[bool]:
    lock = f"{name} {connection.settings_dict['NAME']}"[:64]
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION wait_timeout = %s", [IDLE_SECONDS])
        cursor.execute("SELECT GET_LOCK(%s, %s)", [lock, wait_seconds])
        held = cursor.fetchone()[0] == 1
    try:
        yield held
    finally:
        with connection.cursor() as cursor:
            if held:
                cursor.execute("SELECT RELEASE_LOCK(%s)", [lock])
            # The connection returns to the pool, where it may be idle for longer.
            cursor.execute("SET SESSION wait_timeout = DEFAULT")


@contextmanager
def _hold_file(name: str, wait_seconds: int) -> Iterator[bool]:
    until = time.monotonic() + wait_seconds
    with open(f"{connection.settings_dict['NAME']}.{name}.lock", "w") as file:  # noqa: PTH123
        held = _locked(file.fileno())
        while not held and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
            held = _locked(file.fileno())
        yield held


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
