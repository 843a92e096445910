"""Uploads take turns in doing Python's work."""

import threading
from collections.abc import Callable

import pytest

from core import cpu_gate


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
