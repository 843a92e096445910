"""Where a check finds what the one before it knew: in the table, or in a file of this host
while it is the database that is in trouble."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from django.utils import timezone

from operations.models import AlertLease, AlertState

logger = logging.getLogger(__name__)

# Longer than a check takes: its receivers have seconds each, all at once.
LEASE = timedelta(seconds=50)


class Store(Protocol):
    """The states by condition and receiver."""

    def load(self) -> list[AlertState]: ...
    def save(self, states: Sequence[AlertState]) -> None: ...
    def delete(self, states: Sequence[AlertState]) -> None: ...


class TableStore:
    """Shared by all hosts."""

    def load(self) -> list[AlertState]:
        return list(AlertState.objects.all())

    def save(self, states: Sequence[AlertState]) -> None:
        for state in states:
            state.save()

    def delete(self, states: Sequence[AlertState]) -> None:
        AlertState.objects.filter(pk__in=[state.pk for state in states]).delete()


class FileStore:
    """This host's own, for a condition that takes the table away."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> list[AlertState]:
        if not self._path.exists():
            return []
        return [
            AlertState(
                condition=row["condition"],
                receiver=row["receiver"],
                **{name: _time(row[name]) for name in ("since", "seen_at", "told_at")},
            )
            for row in json.loads(self._path.read_text())
        ]

    def save(self, states: Sequence[AlertState]) -> None:
        if not states:
            return
        kept = {(s.condition, s.receiver): s for s in [*self.load(), *states]}
        self._write(list(kept.values()))

    def delete(self, states: Sequence[AlertState]) -> None:
        if not states:
            return
        gone = {(state.condition, state.receiver) for state in states}
        self._write([s for s in self.load() if (s.condition, s.receiver) not in gone])

    def _write(self, states: Sequence[AlertState]) -> None:
        try:
            self._replace(states)
        except OSError as error:  # told each minute, then, which is better than never
            logger.warning("%s cannot be written: %s", self._path, error)

    def _replace(self, states: Sequence[AlertState]) -> None:
        names = ("condition", "receiver", "since", "seen_at", "told_at")
        rows = [{name: getattr(state, name) for name in names} for state in states]
        self._path.parent.mkdir(exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(rows, default=str))
        new.replace(self._path)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def take_lease() -> bool:
    """Whether this check is the only one that is under way; raises DatabaseError."""
    now = timezone.now()
    AlertLease.objects.get_or_create(pk=1, defaults={"busy_until": now})
    return bool(AlertLease.objects.filter(pk=1, busy_until__lte=now).update(busy_until=now + LEASE))


def give_lease_back() -> None:
    AlertLease.objects.filter(pk=1).update(busy_until=timezone.now())
