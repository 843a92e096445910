"""The figures are the same whether rows are added up already, in part, or not yet."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from pytest_django import Settings

from classification.models import ModelCall, RequestLog
from stats import models
from stats.rollup import chunks
from tests.support.history import A_WHILE, NOW, call, data, figures, log, scatter

pytestmark = pytest.mark.django_db

TABLES = (
    models.RollUp,
    models.RollUpChunk,
    models.Minute,
    models.MinuteCategory,
    models.MinuteError,
    models.Day,
    models.DayDuration,
    models.DayCategory,
    models.DayError,
    models.DayUser,
    models.User,
    models.DayAddress,
    models.DayLedger,
)


def later(client: Client, times: int) -> dict[str, Any]:
    """The figures after having been read so many times, with rows settling in between."""
    found = {}
    for number in range(times):
        with time_machine.travel(NOW + number * A_WHILE, tick=False):
            found = figures(client)
    return found


def rolled_up() -> int:
    state = models.RollUp.objects.filter(pk=RequestLog._meta.db_table).first()
    return state.upto if state else 0


def from_nothing(client: Client) -> dict[str, Any]:
    """The figures straight from the log."""
    for table in TABLES:
        table._default_manager.all().delete()
    with time_machine.travel(NOW, tick=False):
        found = figures(client)
    assert rolled_up() == 0
    return found


@pytest.mark.parametrize("chunk_rows", [1000, 7])
def test_figures_do_not_change_as_rows_are_added_up(
    staff: Client, monkeypatch: pytest.MonkeyPatch, chunk_rows: int
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", chunk_rows)
    scatter(1, 100, days=2)
    straight = from_nothing(staff)
    added_up = later(staff, 3)

    assert rolled_up() == RequestLog.objects.latest("pk").pk
    assert added_up == straight
    assert straight["today"]["total_requests"] > 0
    assert straight["today"]["perhaps_billed_calls"] > 0


def test_a_clock_that_was_ahead_stalls_nothing(staff: Client) -> None:
    scatter(1, 20)
    for ahead in (timedelta(hours=8), timedelta(hours=8) + A_WHILE):
        with time_machine.travel(NOW + ahead, tick=False):
            figures(staff)
    scatter(2, 20)
    with time_machine.travel(NOW + timedelta(hours=8) + 2 * A_WHILE, tick=False):
        figures(staff)  # which only raises the ceiling
    before = rolled_up()
    later(staff, 4)

    assert before < rolled_up() == RequestLog.objects.latest("pk").pk
    assert RequestLog.objects.count() == 40
    assert not models.RollUpChunk.objects.filter(rolled_time__gt=NOW.timestamp() + 3600).exists()


def test_a_user_with_pending_rows_comes_up_to_the_first(staff: Client) -> None:
    for user, requests in (("a", 6), ("b", 5), ("c", 3), ("d", 1)):
        for _ in range(requests):
            log(user_id=user)
    later(staff, 3)
    assert rolled_up() == RequestLog.objects.latest("pk").pk
    for user in ("c", "c", "c", "d", "d", "e"):
        log(user_id=user)

    with time_machine.travel(NOW + 2 * A_WHILE, tick=False):
        rows = data(staff, "users/top?limit=2")

    assert [(row["user_id"], row["request_count"]) for row in rows] == [("a", 6), ("c", 6)]


def test_rows_that_come_late_count_on_their_day(staff: Client) -> None:
    scatter(2, 40)
    later(staff, 3)
    scatter(3, 40)  # for days that are added up already, and some of the same users
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False):
        pending = figures(staff)
    rolled = later(staff, 6)

    assert pending == rolled == from_nothing(staff)


def test_purging_the_log_changes_no_figure(staff: Client, settings: Settings) -> None:
    scatter(4, 80)
    before = later(staff, 3)
    settings.LOG_RETENTION_DAYS = 1
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False):
        call_command("purge_request_log", verbosity=0)
    after = later(staff, 4)

    assert after == before
    assert {row.created_date for row in RequestLog.objects.all()} == {
        NOW.date() - timedelta(days=1),
        NOW.date(),
    }
    assert not models.DayAddress.objects.filter(day__lt=NOW.date() - timedelta(days=1)).exists()


def test_yesterday_can_be_compared_with_after_any_purge(staff: Client) -> None:
    for hours in (1, 25, 49):
        log(NOW - timedelta(hours=hours), user_id=f"u{hours}")
    later(staff, 3)
    with time_machine.travel(NOW + 3 * A_WHILE, tick=False):
        before = staff.get("/").context["dashboard"].yesterday
        call_command("purge_request_log", "--older-than=0d", verbosity=0)
        after = staff.get("/").context["dashboard"].yesterday

    assert after == before
    assert after["total_requests"] == 1
    assert set(RequestLog.objects.values_list("created_date", flat=True)) == {NOW.date()}
    assert models.Minute.objects.exclude(day=NOW.date()).count() == 1


def test_rows_that_are_not_added_up_are_not_purged(settings: Settings) -> None:
    settings.LOG_RETENTION_DAYS = 1
    log(NOW - timedelta(days=9))
    with time_machine.travel(NOW, tick=False):
        call_command("purge_request_log", verbosity=0)

    assert RequestLog.objects.count() == 1


@pytest.mark.parametrize(("before", "told"), [(0, ["昨日同时段无数据"]), (1, ["昨日 "] * 6)])
def test_a_yesterday_without_requests_is_told_of_once(
    staff: Client, before: int, told: list[str]
) -> None:
    for days in range(before + 1):
        log(NOW - timedelta(days=days, minutes=1))
    with time_machine.travel(NOW, tick=False):
        page = staff.get("/").content.decode()

    assert re.findall("昨日同时段无数据|昨日 ", page) == told


def test_the_same_hours_yesterday(staff: Client) -> None:
    yesterday = NOW - timedelta(days=1)
    for minutes in (0, 1, 2, 600):
        log(yesterday - timedelta(minutes=minutes), user_id=f"u{minutes}")
    log(yesterday + timedelta(minutes=5), user_id="u1")
    for _ in range(3):
        log(NOW)
    for moment in (NOW, NOW + A_WHILE, NOW + 2 * A_WHILE):
        with time_machine.travel(moment, tick=False):
            page = staff.get("/").content.decode()
            dashboard = staff.get("/").context["dashboard"]

        assert dashboard.today["total_requests"] == 3
        assert dashboard.yesterday["total_requests"] == 3  # the minute that runs is not over
        assert page.count('id="today"') == 1
    assert rolled_up()


def test_the_command_adds_up_everything_settled(capsys: pytest.CaptureFixture[str]) -> None:
    scatter(5, 20)
    call_command("roll_up_stats")
    assert "40 rows added" in capsys.readouterr().out
    scatter(6, 10)
    call_command("roll_up_stats")
    assert "20 rows added" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_rivals_add_each_row_up_once(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 5)
    scatter(6, 60)
    straight = from_nothing(staff)

    def add_up() -> None:
        try:
            for _ in range(40):
                list(chunks.roll_up())
        finally:
            connection.close()

    with time_machine.travel(NOW + A_WHILE, tick=False):
        threads = [threading.Thread(target=add_up) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert rolled_up() == RequestLog.objects.latest("pk").pk
    assert later(staff, 1) == straight


def test_rows_that_become_visible_late_are_added_up(staff: Client) -> None:
    """Nodes of a cluster give ids in turn, and one of them is slow."""
    for number in range(1, 8):
        log(pk=3 * number, user_id=f"u{number}")
        call(pk=3 * number)
    later(staff, 3)
    assert rolled_up() == 21
    for number in (4, 5, 13):
        log(pk=number, user_id="late", processing_time_ms=5000, cost=Decimal(0))
        call(pk=number, cost=Decimal(1))
    with time_machine.travel(NOW + 9 * A_WHILE, tick=False):
        added_up = figures(staff)

    assert added_up["today"]["total_requests"] == 10
    assert added_up == from_nothing(staff)


def test_chunks_are_looked_at_for_a_day(staff: Client) -> None:
    log(pk=2)
    later(staff, 3)
    looked_at = set()
    for hours in range(1, 26):
        with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
            list(chunks.roll_up())
        looked_at |= set(models.RollUpChunk.objects.values_list("pk", "check_time"))

    assert len(looked_at) < 20
    assert not models.RollUpChunk.objects.exists()


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_rows_not_yet_committed_are_waited_for(staff: Client) -> None:
    """A row with a lower id that is committed after a higher one."""
    written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        from django.db import transaction

        with transaction.atomic():
            log(cost=Decimal(1))
            written.set()
            may_commit.wait(60)
        connection.close()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    written.wait(60)
    log(cost=Decimal(2))
    with time_machine.travel(NOW, tick=False):
        list(chunks.roll_up())
    threading.Timer(0.5, may_commit.set).start()
    with time_machine.travel(NOW + A_WHILE, tick=False):
        list(chunks.roll_up())
    writer.join()

    assert rolled_up() == RequestLog.objects.latest("pk").pk
    with time_machine.travel(NOW + A_WHILE, tick=False):
        assert data(staff, "today")["estimated_cost"] == 3


def test_calls_without_a_logged_request_are_money_spent(staff: Client) -> None:
    """Trials of staff, and everything while ENABLE_REQUEST_LOG is off."""
    call(cost=Decimal("0.5"))
    for times in (1, 3):
        today = later(staff, times)["today"]
        assert (today["estimated_cost"], today["total_requests"]) == (0.5, 0)
        assert later(staff, 1)["trend?days=7"][-1]["estimated_cost"] == 0.5


def test_a_ledger_of_its_own_is_added_up(staff: Client) -> None:
    ModelCall.objects.create(
        request_id="r",
        image_hash="0" * 64,
        model="m",
        outcome="model_timeout",
        billed="perhaps",
        cost=Decimal("0.01"),
        duration_ms=1,
        created_at=NOW,
    )
    for moment in (NOW, NOW + A_WHILE, NOW + 2 * A_WHILE):
        with time_machine.travel(moment, tick=False):
            found = data(staff, "today")
        assert (found["perhaps_billed_calls"], found["perhaps_billed_cost"]) == (1, 0.01)
        assert found["estimated_cost"] == 0


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_a_run_that_another_one_keeps_out_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    log()
    with time_machine.travel(NOW, tick=False):
        list(chunks.roll_up())  # what is there now settles from here on
    monkeypatch.setattr("stats.rollup.chunks.time.sleep", lambda seconds: None)
    with (
        adding_up_elsewhere(RequestLog),
        time_machine.travel(NOW + A_WHILE, tick=False),
        pytest.raises(CommandError, match="did nothing") as kept_out,
    ):
        call_command("roll_up_stats")

    assert kept_out.value.returncode == os.EX_TEMPFAIL


@contextmanager
def adding_up_elsewhere(source: type[Model]) -> Iterator[None]:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("START TRANSACTION")
        claim = f"SELECT * FROM {models.RollUp._meta.db_table} WHERE `table` = %s FOR UPDATE"
        cursor.execute(claim, [source._meta.db_table])
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
    other.close()
