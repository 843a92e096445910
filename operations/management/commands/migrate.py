"""Django's migrate, one at a time on MariaDB."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections

WAIT_SECONDS = 3600


class Command(migrate.Command):
    help = migrate.Command.help + " On MariaDB another one that still runs is waited for."

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor == "mysql":
            self._wait_for_turn(connection)
        super().handle(*args, **options)

    def _wait_for_turn(self, connection: Any) -> None:
        """Take a lock that ends with this connection.

        After `kill -9` the server still finishes the statement it was at, and holds the lock
        until then; so whoever goes on sees all that was done.
        """
        lock = f"migrate {connection.settings_dict['NAME']}"[:64]
        with connection.cursor() as cursor:
            cursor.execute("SELECT IS_USED_LOCK(%s) IS NOT NULL", [lock])
            if cursor.fetchone()[0]:
                self.stderr.write("Another migrate is at work on this database; waiting for it.")
            cursor.execute("SELECT GET_LOCK(%s, %s)", [lock, WAIT_SECONDS])
            if not cursor.fetchone()[0]:
                raise CommandError("Another migrate is still at work on this database.")
