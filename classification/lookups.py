"""One query for all who look something up at the same time.

While a query runs, those who come wait, and the next query asks for all of them: under load a
statement answers a dozen requests, and the database does a quarter of the work for each.
Nobody who is alone waits for company.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

MOST_AT_ONCE = 100

Value = TypeVar("Value")


class _Lookup(Generic[Value]):
    """One caller's question. `turn` is held until it is answered, or is to lead the next query."""

    __slots__ = ("error", "key", "leads", "turn", "value")

    def __init__(self, key: str) -> None:
        self.key = key
        self.value: Value | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.turn = threading.Lock()
        self.turn.acquire()


class Lookups(Generic[Value]):
    """Gathers the questions of this process's threads; `select` answers many by their keys."""

    def __init__(self, select: Callable[[list[str]], dict[str, Value]]) -> None:
        self._select = select
        self._lock = threading.Lock()
        self._waiting: list[_Lookup[Value]] = []
        self._is_asking = False

    def find(self, key: str) -> Value | None:
        """What `select` finds for this key from now on; raises what it raises."""
        mine: _Lookup[Value] = _Lookup(key)
        with self._lock:
            self._waiting.append(mine)
            waits, self._is_asking = self._is_asking, True
        if waits:
            mine.turn.acquire()
        if mine.leads or not waits:
            self._ask()
        if mine.error:
            raise mine.error
        return mine.value

    def _ask(self) -> None:
        """Ask for all who wait, and let the first of those who came meanwhile go on."""
        with self._lock:
            asked, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
        error: BaseException | None = None
        found: dict[str, Value] = {}
        try:
            found = self._select(list({lookup.key: None for lookup in asked}))
        except BaseException as caught:
            error = caught
        self._pass_on(asked if error else [])
        for lookup in asked:
            lookup.value, lookup.error, lookup.leads = found.get(lookup.key), error, False
            lookup.turn.release()

    def _pass_on(self, failed: list[_Lookup[Value]]) -> None:
        with self._lock:
            if failed:  # a database that is away is not waited for once more
                failed += self._waiting
                self._waiting = []
            self._is_asking = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].turn.release()
