"""Django's SQLite backend, with a database that only its owner can read: it names people.

SQLite gives the files that it adds, such as the write-ahead log, the permissions of the database.
"""

import contextlib
import os
from typing import Any

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A wrapper that creates the database by itself. The permissions of an existing one stay: its
    owner may have given them to others."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        # It exists, or SQLite itself will tell what is wrong.
        with contextlib.suppress(OSError):
            os.close(os.open(conn_params["database"], os.O_CREAT | os.O_EXCL, 0o600))
        return super().get_new_connection(conn_params)
