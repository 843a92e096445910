"""A loop goes on whatever its work raises, and ends in order."""

import threading

import pytest
from django.db import OperationalError

from core.background import BackgroundLoop
from tests.support.waiting import wait_until


def test_it_does_its_first_work_then_its_work_and_last_what_is_for_the_end() -> None:
    done: list[str] = []
    loop = BackgroundLoop(
        "loop",
        lambda: done.append("work"),
        0.01,
        first=lambda: done.append("first"),
        last=lambda: done.append("last"),
    )
    loop.start()
    loop.start()
    wait_until(lambda: len(done) > 2)
    loop.stop()
    count = len(done)
    names = [thread.name for thread in threading.enumerate()]

    assert done == ["first", *["work"] * (count - 2), "last"]
    wait_until(lambda: "loop" not in [thread.name for thread in threading.enumerate()])
    assert names.count("loop") <= 1
    assert len(done) == count


def test_it_goes_on_after_a_failure_and_logs_an_outage_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures: list[Exception | None] = [
        OperationalError(2013, "gone"),
        OperationalError(2013, "gone"),
        None,
        ValueError("a defect"),
        OperationalError(2013, "gone"),
    ]

    def work() -> None:
        if failures and (failure := failures.pop(0)):
            raise failure

    loop = BackgroundLoop("loop", work, 0.01)
    loop.start()
    wait_until(lambda: not failures)
    loop.stop()

    assert caplog.text.count("waits for the database") == 2
    assert caplog.text.count("The work of loop failed.") == 1
    assert "a defect" in caplog.text
