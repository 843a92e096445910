"""Stores what each channel has been sent: in a table, or in a local file for alerts about the
database itself."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from django.core.exceptions import ValidationError

from operations.models import AlertState

logger = logging.getLogger(__name__)


class Store(Protocol):
    """Stores one state per rule and channel."""

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
    """A local file for the rule that fires when the database is down. Its keys are the table's
    columns."""

    FIELDS = [field for field in AlertState._meta.concrete_fields if not field.primary_key]

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> list[AlertState]:
        """The states; none if the file cannot be read, as after a power cut, or was written by
        another release."""
        try:
            return [self._state(row) for row in json.loads(self._path.read_text())]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, LookupError, TypeError, ValidationError) as error:
            logger.warning("%s cannot be read, and is ignored: %s", self._path, error)
            return []

    def save(self, states: Sequence[AlertState]) -> None:
        if not states:
            return
        kept = {(s.rule, s.channel): s for s in [*self.load(), *states]}
        self._write(list(kept.values()))

    def delete(self, states: Sequence[AlertState]) -> None:
        if not states:
            return
        gone = {(state.rule, state.channel) for state in states}
        self._write([s for s in self.load() if (s.rule, s.channel) not in gone])

    def _state(self, row: dict[str, Any]) -> AlertState:
        return AlertState(**{f.attname: f.to_python(row[str(f.column)]) for f in self.FIELDS})

    def _write(self, states: Sequence[AlertState]) -> None:
        rows = [{f.column: getattr(state, f.attname) for f in self.FIELDS} for state in states]
        try:
            self._replace(json.dumps(rows, default=str))
        except OSError as error:
            # Then the channels are notified every minute, which is better than not at all.
            logger.warning("%s cannot be written: %s", self._path, error)

    def _replace(self, text: str) -> None:
        self._path.parent.mkdir(exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(text)
        new.replace(self._path)
