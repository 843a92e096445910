"""Django's migrate; on MariaDB, one at a time, and with tables converted to utf8mb4."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import Error, connections

from core.mysql_pool import characters
from operations import adoption

WAIT_SECONDS = 3600


class Command(migrate.Command):
    help = migrate.Command.help + " On MariaDB, waits for another migrate that is still running."

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        only_reads = options["plan"] or options["check_unapplied"]
        if connection.vendor != "mysql" or only_reads:
            super().handle(*args, **options)
            return
        with self._lock(connection):
            self._widen_tables(connection)
            super().handle(*args, **options)
            self._widen_tables(connection)  # including tables that were just taken over

    @contextmanager
    def _lock(self, connection: Any) -> Iterator[None]:
        """Hold a lock within the block, after waiting for it.

        After `kill -9`, the server finishes the current statement before it releases the lock, so
        the next migrate sees a consistent state.
        """
        lock = f"migrate {connection.settings_dict['NAME']}"[:64]
        self._wait_for(lock, connection)
        try:
            yield
        finally:
            # If the connection is lost, so is the lock.
            with suppress(Error), connection.cursor() as cursor:
                cursor.execute("SELECT RELEASE_LOCK(%s)", [lock])

    def _wait_for(self, lock: str, connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT IS_USED_LOCK(%s) IS NOT NULL", [lock])
            if cursor.fetchone()[0]:
                self.stderr.write("Another migrate is running on this database; waiting for it.")
            cursor.execute("SELECT GET_LOCK(%s, %s)", [lock, WAIT_SECONDS])
            if not cursor.fetchone()[0]:
                raise CommandError("Another migrate is still running on this database.")

    def _widen_tables(self, connection: Any) -> None:
        """Convert our tables in utf8mb3 or latin1 to utf8mb4."""
        with connection.cursor() as cursor:
            for table in adoption.narrow_tables(connection, cursor):
                self.stdout.write(f"Converting {table} to utf8mb4.")
                characters.convert(cursor, table)
