"""The rows that no roll-up has counted yet, so that figures are exact at any moment."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import transaction

from stats.models import RollUp
from stats.roll_ups import is_settled, roll_up
from stats.tallies import Tally

Result = TypeVar("Result")
# A reader adds up what is due, but does not make a person wait for a log of years.
READER_SECONDS = 0.5


class Tail:
    """What came after the roll-ups' `upto`, added up by the same tallies."""

    def __init__(self, upto: dict[str, int]) -> None:
        self._upto = upto
        self._rows: dict[Tally, list[dict[str, Any]]] = {}

    def rows(self, tally: Tally) -> list[dict[str, Any]]:
        """Rows as they would be in the tally's table."""
        if tally not in self._rows:
            upto = self._upto.get(tally.source._meta.db_table, 0)
            after = tally.source._default_manager.filter(pk__gt=upto)
            self._rows[tally] = list(tally.select(after).order_by())
        return self._rows[tally]


def exactly(read: Callable[[Tail], Result]) -> Result:
    """What `read` finds in the roll-ups and the tail, both as of one moment."""
    upto = _brought_forward()
    while True:
        result = read(Tail(upto))
        now = _upto(list(RollUp.objects.all()))
        if now == upto:
            return result
        upto = now


@contextmanager
def held_still() -> Iterator[Tail]:
    """The tail for a reading that is too long to be repeated; nothing is added up meanwhile."""
    upto = _brought_forward()
    with transaction.atomic():
        states = list(RollUp.objects.select_for_update())
        yield Tail(_upto(states) or upto)


def _brought_forward() -> dict[str, int]:
    """How far each table is added up, once what is due has been."""
    states = list(RollUp.objects.all())
    if states and not any(map(is_settled, states)):
        return _upto(states)
    until = time.monotonic() + READER_SECONDS
    for _ in roll_up():
        if time.monotonic() > until:
            break
    return _upto(list(RollUp.objects.all()))


def _upto(states: list[RollUp]) -> dict[str, int]:
    return {state.table: state.upto for state in states}
