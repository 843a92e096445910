"""Uploads take turns in doing Python's work."""

import functools
import threading
from collections.abc import Callable

import pytest

from core.sharing import cpu_gate
from core.sharing.fair_queue import client_var
from tests.support.waiting import wait_until


def started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_one_works_while_the_others_wait_or_give_way() -> None:
    worked = threading.Event()

    @cpu_gate.hold()
    def work() -> None:
        worked.set()

    with cpu_gate.hold():
        other = started(work)
        assert not worked.wait(0.1)
        with cpu_gate.released():
            assert worked.wait(30)
            other.join()


def test_who_has_waited_long_goes_ahead_and_takes_nobodys_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cpu_gate, "PATIENCE_SECONDS", 0.05)
    worked = threading.Event()

    @cpu_gate.hold()
    def work() -> None:
        worked.set()

    with cpu_gate.hold():
        started(work).join(30)
        assert worked.is_set()
        worked.clear()
        monkeypatch.setattr(cpu_gate, "PATIENCE_SECONDS", 60)
        started(work)
        assert not worked.wait(0.1)
    assert worked.wait(30)


def test_who_takes_no_turns_gives_none_away() -> None:
    with cpu_gate.hold():
        worked = threading.Event()

        def work() -> None:
            with cpu_gate.released():
                worked.set()

        started(work).join(30)
        assert worked.is_set()


def waiting() -> int:
    return sum(map(len, cpu_gate._waiting._items.values()))


def test_clients_take_turns_however_many_threads_one_has() -> None:
    order: list[str] = []

    def work(client: str) -> None:
        client_var.set(client)
        with cpu_gate.hold():
            order.append(client)

    with cpu_gate.hold():
        threads = []
        for client in ("greedy", "greedy", "greedy", "other", "greedy", "third"):
            threads.append(started(functools.partial(work, client)))
            wait_until(lambda: waiting() == len(threads))
    for thread in threads:
        thread.join(30)

    assert order == ["greedy", "other", "third", "greedy", "greedy", "greedy"]


def test_who_waits_while_others_get_on_keeps_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd that went ahead together would be in everybody's way."""
    monkeypatch.setattr(cpu_gate, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(
        "core.sharing.cpu_gate.time.monotonic", lambda: 0.0
    )  # somebody has just got on
    worked = threading.Event()

    @cpu_gate.hold()
    def work() -> None:
        worked.set()

    with cpu_gate.hold():
        other = started(work)
        assert not worked.wait(0.1)
    other.join(30)
    assert worked.is_set()
