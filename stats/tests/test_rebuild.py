"""Figures that are wrong are found, and added up anew beside the running service."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from classification.models import RequestLog
from stats import models
from stats.rollup import chunks
from stats.rollup.rebuild import rebuild_days, rebuild_users
from tests.support.history import A_WHILE, NOW, figures, log, scatter

pytestmark = pytest.mark.django_db


def rebuild(*options: str) -> None:
    with time_machine.travel(NOW + 9 * A_WHILE, tick=False):
        call_command("rebuild_stats", *options)


def read(client: Client) -> dict[str, Any]:
    with time_machine.travel(NOW + 9 * A_WHILE, tick=False):
        return figures(client)


def rolled_up() -> int:
    return models.RollUp.objects.get(pk="request_log").upto


@pytest.fixture
def right(staff: Client) -> dict[str, Any]:
    """The figures of a history that is added up, but for its last rows."""
    scatter(1, 80)
    for number in range(3):
        with time_machine.travel(NOW + number * A_WHILE, tick=False):
            list(chunks.roll_up())
    log(user_id="pending")
    return read(staff)


def test_it_changes_nothing_that_is_right(staff: Client, right: dict[str, Any]) -> None:
    rebuild()

    assert read(staff) == right
    assert RequestLog.objects.filter(pk__gt=rolled_up()).get().user_id == "pending"


def test_what_is_missing_is_in_the_figures_again(
    staff: Client, right: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    yesterday = NOW.date() - timedelta(days=1)
    models.Day.objects.filter(day=yesterday).update(requests=F("requests") - 3, cost=0)
    models.DayLedger.objects.filter(day=yesterday).delete()
    models.DayUser.objects.filter(user_id="a").delete()
    models.User.objects.update(requests=1)
    rebuild()

    assert read(staff) == right
    assert f"{yesterday}: " in capsys.readouterr().out


def test_days_that_are_purged_from_the_log_are_kept(
    staff: Client,
    right: dict[str, Any],
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings.LOG_RETENTION_DAYS = 1
    with time_machine.travel(NOW + 9 * A_WHILE, tick=False):
        call_command("purge_request_log", verbosity=0)
    rebuild()

    assert read(staff) == right
    assert capsys.readouterr().out.count("kept, because some of its rows have been purged") >= 2


def test_days_that_are_purged_meanwhile_are_kept(
    staff: Client, right: dict[str, Any], settings: Settings
) -> None:
    settings.LOG_RETENTION_DAYS = 1
    with time_machine.travel(NOW + 9 * A_WHILE, tick=False):
        days = rebuild_days(NOW.date() - timedelta(days=5), NOW.date())
        next(days)
        call_command("purge_request_log", verbosity=0)
        purged = [count.day for count in days if count.is_purged]
        rebuild_users()

    assert read(staff) == right
    assert purged


def test_it_can_be_told_which_days(staff: Client, right: dict[str, Any]) -> None:
    models.Day.objects.update(hits=0)
    rebuild(f"--from={NOW.date()}")
    hits = [day["cache_hits"] for day in read(staff)["trend?days=7"]]

    assert hits[-1] == right["today"]["cache_hits"] > 0
    assert hits[:-1] == [0] * 6
