"""Routes reads of statistics to a replica."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import Model

STATS_DB_ALIAS = "stats"
# Tables of other apps that statistics are read from.
SOURCES = {"requestlog", "modelcall"}

_alias: ContextVar[str | None] = ContextVar("stats database", default=None)


@contextmanager
def read_from(alias: str) -> Iterator[None]:
    """Read statistics from this database within the block."""
    token = _alias.set(alias)
    try:
        yield
    finally:
        _alias.reset(token)


class ReplicaRouter:
    """Routes reads to STATS_DATABASE_URL while a snapshot is open; nothing is written there."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        meta = model._meta
        is_read = meta.app_label == "stats" or meta.model_name in SOURCES
        return _alias.get() if is_read else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == STATS_DB_ALIAS else None
