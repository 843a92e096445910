"""Uploads take turns in doing Python's work."""

import threading
from collections.abc import Callable

import pytest

from classification import turns


def started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_one_works_while_the_others_wait_or_give_way() -> None:
    worked = threading.Event()

    @turns.turn()
    def work() -> None:
        worked.set()

    with turns.turn():
        other = started(work)
        assert not worked.wait(0.1)
        with turns.give_way():
            assert worked.wait(5)
            other.join()


def test_who_has_waited_long_goes_ahead_and_takes_nobodys_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.05)
    worked = threading.Event()

    @turns.turn()
    def work() -> None:
        worked.set()

    with turns.turn():
        started(work).join(5)
        assert worked.is_set()
        worked.clear()
        monkeypatch.setattr(turns, "PATIENCE_SECONDS", 60)
        started(work)
        assert not worked.wait(0.1)
    assert worked.wait(5)


def test_who_takes_no_turns_gives_none_away() -> None:
    with turns.turn():
        worked = threading.Event()

        def work() -> None:
            with turns.give_way():
                worked.set()

        started(work).join(5)
        assert worked.is_set()
