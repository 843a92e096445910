"""Combines concurrent lookups into one query.

Lookups that arrive while a query runs wait, and the next query serves all of them: under load a
statement serves a dozen requests, and the database does a quarter of the work for each. A lookup
that is alone never waits for others.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

MAX_KEYS = 100

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class _Lookup(Generic[Key, Value]):
    """One caller's lookup. `ready` is locked until it has a result, or is to run the next query."""

    __slots__ = ("error", "key", "leads", "ready", "value")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.value: Value | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.ready = threading.Lock()
        self.ready.acquire()


class QueryBatcher(Generic[Key, Value]):
    """Batches the lookups of this process's threads; `select` returns the values of many keys."""

    def __init__(self, select: Callable[[list[Key]], dict[Key, Value]]) -> None:
        self._select = select
        self._lock = threading.Lock()
        self._waiting: list[_Lookup[Key, Value]] = []
        self._is_querying = False

    def get(self, key: Key) -> Value | None:
        """The value for this key from a query that starts after the call; raises what `select`
        raises."""
        mine: _Lookup[Key, Value] = _Lookup(key)
        with self._lock:
            self._waiting.append(mine)
            waits, self._is_querying = self._is_querying, True
        if waits:
            mine.ready.acquire()
        if mine.leads or not waits:
            self._run_query()
        if mine.error:
            raise mine.error
        return mine.value

    def _run_query(self) -> None:
        """Run a query for all waiting lookups, and let the first of those that arrived meanwhile
        run the next."""
        with self._lock:
            batch, self._waiting = self._waiting[:MAX_KEYS], self._waiting[MAX_KEYS:]
        error: BaseException | None = None
        found: dict[Key, Value] = {}
        try:
            found = self._select(list({lookup.key: None for lookup in batch}))
        except BaseException as caught:
            error = caught
        self._hand_over(batch if error else [])
        for lookup in batch:
            lookup.value, lookup.error, lookup.leads = found.get(lookup.key), error, False
            lookup.ready.release()

    def _hand_over(self, failed: list[_Lookup[Key, Value]]) -> None:
        with self._lock:
            if failed:  # do not wait for an unavailable database again
                failed += self._waiting
                self._waiting = []
            self._is_querying = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].ready.release()
