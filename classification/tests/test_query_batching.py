"""Hashes that are looked up at the same time share a query."""

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from classification.pipeline.query_batching import MAX_KEYS, QueryBatcher

LATER = 30


class Table:
    """A table whose first query takes until `go` is set; "missing" is not in it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.queries: list[list[str]] = []
        self.go = threading.Event()
        self._error = error

    def select(self, keys: list[str]) -> dict[str, str]:
        self.queries.append(keys)
        assert self.go.wait(60)
        if self._error:
            raise self._error
        return {key: f"row of {key}" for key in keys if key != "missing"}


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.005)


def test_those_who_come_while_a_query_runs_share_the_next_one() -> None:
    table = Table()
    batcher = QueryBatcher(table.select)
    keys = [*(f"k{n % 20}" for n in range(LATER - 1)), "missing"]
    with ThreadPoolExecutor(LATER + 1) as pool:
        first = pool.submit(batcher.get, "first")
        wait_until(lambda: len(table.queries) == 1)
        others = [pool.submit(batcher.get, key) for key in keys]
        wait_until(lambda: len(batcher._waiting) == LATER)
        table.go.set()
        found = [other.result(60) for other in others]

    assert first.result() == "row of first"
    assert found == [*(f"row of {key}" for key in keys[:-1]), None]
    assert table.queries[0] == ["first"]
    assert sorted(table.queries[1]) == sorted(set(keys))
    assert len(table.queries) == 2


def test_one_who_is_alone_is_answered_at_once_and_again() -> None:
    table = Table()
    table.go.set()
    batcher = QueryBatcher(table.select)

    assert [batcher.get(key) for key in ("a", "a", "missing")] == ["row of a", "row of a", None]
    assert table.queries == [["a"], ["a"], ["missing"]]


def test_a_database_that_is_away_is_waited_for_once_and_asked_again_later() -> None:
    table = Table(error=ConnectionError("away"))
    batcher = QueryBatcher(table.select)
    with ThreadPoolExecutor(LATER + 1) as pool:
        asked = [pool.submit(batcher.get, "first")]
        wait_until(lambda: len(table.queries) == 1)
        asked += [pool.submit(batcher.get, f"k{n}") for n in range(LATER)]
        wait_until(lambda: len(batcher._waiting) == LATER)
        table.go.set()
        errors = [each.exception(60) for each in asked]

    assert all(isinstance(error, ConnectionError) for error in errors)
    assert len(table.queries) == 1
    with pytest.raises(ConnectionError):
        batcher.get("again")
    assert len(table.queries) == 2


def test_a_query_asks_for_a_bounded_number() -> None:
    table = Table()
    batcher = QueryBatcher(table.select)
    count = 2 * MAX_KEYS + 1
    with ThreadPoolExecutor(count + 1) as pool:
        asked = [pool.submit(batcher.get, "first")]
        wait_until(lambda: len(table.queries) == 1)
        asked += [pool.submit(batcher.get, f"k{n}") for n in range(count)]
        wait_until(lambda: len(batcher._waiting) == count)
        table.go.set()
        assert all(each.result(60) for each in asked)

    assert [len(query) for query in table.queries] == [1, MAX_KEYS, MAX_KEYS, 1]


def test_everybody_is_answered_however_the_threads_take_turns() -> None:
    answered: list[bool] = []

    def select(keys: list[str]) -> dict[str, str]:
        time.sleep(0)
        return {key: key for key in keys}

    def ask(thread: int) -> None:
        keys = [f"{thread} {number}" for number in range(2000)]
        answered.append(all(batcher.get(key) == key for key in keys))

    batcher = QueryBatcher(select)
    threads = [threading.Thread(target=ask, args=(n,), daemon=True) for n in range(16)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)

    assert answered == [True] * 16
