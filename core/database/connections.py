"""Releases database connections early, and limits the wait for silent databases."""

from django.db import DEFAULT_DB_ALIAS, connection, connections


def release_connection() -> None:
    """Return this thread's connection to the pool, so that few connections serve many threads. Does
    nothing within a transaction."""
    mine = connections[DEFAULT_DB_ALIAS]  # each access would look it up again
    if not mine.in_atomic_block:
        mine.close_if_unusable_or_obsolete()


def wait_at_most(seconds: int) -> None:
    """Limit the seconds a command waits for one response of the database; call it before the first
    query."""
    if connection.vendor == "mysql":
        options = connection.settings_dict["OPTIONS"]
        options["read_timeout"] = options["write_timeout"] = seconds
