"""The state of the database, and of the replica for statistics."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.models import Max

from classification.models import ServerProcess
from stats.routers import STATS_DB_ALIAS


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The state of a database; `product` is "" if it does not respond, `behind` is the lag of a
    replica, None if unknown."""

    alias: str
    product: str
    connections: int | None = None
    max_connections: int | None = None
    behind: timedelta | None = None

    @property
    def is_replica(self) -> bool:
        return self.alias == STATS_DB_ALIAS


def databases() -> list[DatabaseState]:
    """The default database, and the replica if there is one."""
    aliases = [alias for alias in (DEFAULT_DB_ALIAS, STATS_DB_ALIAS) if alias in connections]
    return [_state(alias) for alias in aliases]


def _state(alias: str) -> DatabaseState:
    try:
        if connections[alias].vendor == "sqlite":
            return DatabaseState(alias, "SQLite")
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT @@version, @@max_connections")
            version, most = cursor.fetchone()
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
            connected = int(cursor.fetchone()[1])
        return DatabaseState(alias, f"MariaDB {version}", connected, most, _behind(alias))
    except DatabaseError:
        return DatabaseState(alias, "")


def _behind(alias: str) -> timedelta | None:
    """The lag, by the processes' last reports, which they write every few seconds."""
    if alias == DEFAULT_DB_ALIAS:
        return None
    latest, here = (
        ServerProcess.objects.using(each).aggregate(at=Max("seen_at"))["at"]
        for each in (DEFAULT_DB_ALIAS, alias)
    )
    return max(latest - here, timedelta()) if latest and here else None
