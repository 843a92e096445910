"""Figures that are read together are of one moment, and a reader is not kept waiting."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from stats import snapshot
from stats.figures import Figures
from stats.models import RollUp
from stats.rollup import chunks
from stats.snapshot import Snapshot
from tests.support.history import A_WHILE, NOW, data, log

pytestmark = pytest.mark.django_db(transaction=True)


def meanwhile(do: Callable[[], Any]) -> threading.Thread:
    """Do something on a connection of its own."""

    def run() -> None:
        try:
            do()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def everything() -> dict[str, Any]:
    with snapshot.open_snapshot() as opened:
        figures = Figures(opened)
        return {"today": figures.today(), "trend": figures.trend(7)}


def test_what_happens_meanwhile_changes_nothing_and_does_not_wait() -> None:
    def write_and_roll_up() -> None:
        log(user_id="new", ip_address="192.0.2.9", cost=1)
        list(chunks.roll_up())

    for number in range(5):
        log(user_id=f"u{number}")
    with time_machine.travel(NOW, tick=False) as clock:
        list(chunks.roll_up())
        clock.shift(A_WHILE)
        with snapshot.open_snapshot() as opened:
            before = Figures(opened).today()
            thread = meanwhile(write_and_roll_up)
            thread.join(10)
            was_held_up = thread.is_alive()
            again = Figures(Snapshot({s.table: s.upto for s in RollUp.objects.all()})).today()
        thread.join()

        assert not was_held_up
        assert before == again
        assert before["total_requests"] == before["unique_users"] == 5
        uncounted = Figures(Snapshot({"request_log": 0, "model_call": 0}))
        assert uncounted.today()["unique_users"] > 5
        assert everything()["today"]["estimated_cost"] == 1


def test_figures_agree_while_others_write_and_roll_up(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "SETTLING_SECONDS", 0.05)
    is_over = threading.Event()
    seen: set[int] = set()
    written = 0

    def write() -> None:
        nonlocal written
        while written < 150 or len(seen) <= 3:
            log(user_id=f"u{written}", ip_address=f"2001:db8::{written:x}")
            written += 1
        is_over.set()

    def add_up() -> None:
        while not is_over.is_set():
            list(chunks.roll_up(7))

    with time_machine.travel(NOW, tick=True):
        others = [meanwhile(write), meanwhile(add_up)]
        while not is_over.is_set():
            today = data(staff, "today")
            seen.add(today["total_requests"])
            assert today["total_requests"] == today["unique_users"] == today["unique_ips"]
        for thread in others:
            thread.join()

        assert data(staff, "today")["total_requests"] == written
        assert RollUp.objects.get(pk="request_log").upto > 0


def test_a_backlog_is_added_up_behind_the_reader(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_PENDING_ROWS", 20)
    monkeypatch.setattr(chunks, "SETTLING_SECONDS", 0.5)
    for number in range(30):
        log(user_id=f"u{number}")

    with time_machine.travel(NOW, tick=True):
        api, page = staff.get("/api/v1/stats/today"), staff.get("/")
        until = time.monotonic() + 20
        while (later := staff.get("/api/v1/stats/today")).status_code == 503:
            assert time.monotonic() < until
            time.sleep(0.1)

    assert (api.status_code, api.json()["error_code"]) == (503, "statistics_behind")
    assert api["Retry-After"] == "10"
    assert page.status_code == 503
    assert "正在汇总统计数据" in page.content.decode()
    assert later.json()["data"]["total_requests"] == 30
    with snapshot._catching_up:  # the thread is done with the database
        assert RollUp.objects.get(pk="request_log").upto > 0
