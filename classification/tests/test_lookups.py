"""Hashes that are looked up at the same time share a query."""

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from classification.lookups import MOST_AT_ONCE, Lookups

LATER = 30


class Table:
    """A table whose first query takes until `go` is set; "missing" is not in it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.queries: list[list[str]] = []
        self.go = threading.Event()
        self._error = error

    def select(self, keys: list[str]) -> dict[str, str]:
        self.queries.append(keys)
        assert self.go.wait(10)
        if self._error:
            raise self._error
        return {key: f"row of {key}" for key in keys if key != "missing"}


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.005)


def test_those_who_come_while_a_query_runs_share_the_next_one() -> None:
    table = Table()
    lookups = Lookups(table.select)
    keys = [*(f"k{n % 20}" for n in range(LATER - 1)), "missing"]
    with ThreadPoolExecutor(LATER + 1) as pool:
        first = pool.submit(lookups.find, "first")
        wait_until(lambda: len(table.queries) == 1)
        others = [pool.submit(lookups.find, key) for key in keys]
        wait_until(lambda: len(lookups._waiting) == LATER)
        table.go.set()
        found = [other.result(10) for other in others]

    assert first.result() == "row of first"
    assert found == [*(f"row of {key}" for key in keys[:-1]), None]
    assert table.queries[0] == ["first"]
    assert sorted(table.queries[1]) == sorted(set(keys))
    assert len(table.queries) == 2


def test_one_who_is_alone_is_answered_at_once_and_again() -> None:
    table = Table()
    table.go.set()
    lookups = Lookups(table.select)

    assert [lookups.find(key) for key in ("a", "a", "missing")] == ["row of a", "row of a", None]
    assert table.queries == [["a"], ["a"], ["missing"]]


def test_a_database_that_is_away_is_waited_for_once_and_asked_again_later() -> None:
    table = Table(error=ConnectionError("away"))
    lookups = Lookups(table.select)
    with ThreadPoolExecutor(LATER + 1) as pool:
        asked = [pool.submit(lookups.find, "first")]
        wait_until(lambda: len(table.queries) == 1)
        asked += [pool.submit(lookups.find, f"k{n}") for n in range(LATER)]
        wait_until(lambda: len(lookups._waiting) == LATER)
        table.go.set()
        errors = [each.exception(10) for each in asked]

    assert all(isinstance(error, ConnectionError) for error in errors)
    assert len(table.queries) == 1
    with pytest.raises(ConnectionError):
        lookups.find("again")
    assert len(table.queries) == 2


def test_a_query_asks_for_a_bounded_number() -> None:
    table = Table()
    lookups = Lookups(table.select)
    count = 2 * MOST_AT_ONCE + 1
    with ThreadPoolExecutor(count + 1) as pool:
        asked = [pool.submit(lookups.find, "first")]
        wait_until(lambda: len(table.queries) == 1)
        asked += [pool.submit(lookups.find, f"k{n}") for n in range(count)]
        wait_until(lambda: len(lookups._waiting) == count)
        table.go.set()
        assert all(each.result(10) for each in asked)

    assert [len(query) for query in table.queries] == [1, MOST_AT_ONCE, MOST_AT_ONCE, 1]


def test_everybody_is_answered_however_the_threads_take_turns() -> None:
    answered: list[bool] = []

    def select(keys: list[str]) -> dict[str, str]:
        time.sleep(0)
        return {key: key for key in keys}

    def ask(thread: int) -> None:
        keys = [f"{thread} {number}" for number in range(2000)]
        answered.append(all(lookups.find(key) == key for key in keys))

    lookups = Lookups(select)
    threads = [threading.Thread(target=ask, args=(n,), daemon=True) for n in range(16)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    finally:
        sys.setswitchinterval(interval)

    assert answered == [True] * 16
