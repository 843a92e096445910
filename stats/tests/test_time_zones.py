"""Days are those of TIME_ZONE's wall clock, also when it is put forward or back."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from pytest_django import Settings

from stats.models import RollUp
from stats.rollup import chunks
from tests.support.history import A_WHILE, data, log

pytestmark = pytest.mark.django_db


@pytest.fixture
def live_in(settings: Settings) -> Iterator[Callable[[str], ZoneInfo]]:
    """Run the service in another TIME_ZONE, as its connection to the database does too."""
    before = connection.settings_dict["TIME_ZONE"]

    def move(name: str) -> ZoneInfo:
        connection.settings_dict["TIME_ZONE"] = name
        settings.TIME_ZONE = name  # Django then forgets the zones it has looked up
        return ZoneInfo(name)

    yield move
    connection.settings_dict["TIME_ZONE"] = before


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Asia/Shanghai", "2026-03-01T23:59:59", "2026-03-02T00:00:00"),
        ("Asia/Kolkata", "2026-03-01T23:59:59", "2026-03-02T00:00:00"),
        ("America/New_York", "2026-03-07T23:59:59", "2026-03-08T00:00:00"),  # a day of 23 hours
        ("Asia/Beirut", "2026-03-28T23:59:59", "2026-03-29T01:00:00"),  # no midnight
        ("Pacific/Auckland", "2026-04-04T23:59:59", "2026-04-05T00:00:00"),  # a day of 25 hours
    ],
)
def test_today_begins_at_midnight(
    staff: Client, live_in: Callable[[str], ZoneInfo], zone: str, before: str, after: str
) -> None:
    here = live_in(zone)
    last, first = (datetime.fromisoformat(text).replace(tzinfo=here) for text in (before, after))
    assert first.astimezone(timezone.utc) - last.astimezone(timezone.utc) == timedelta(seconds=1)
    log(last.astimezone(timezone.utc), user_id="early")
    for moment in (first, first + timedelta(hours=20)):
        log(moment.astimezone(timezone.utc), user_id="late")

    for wait in range(3):
        with time_machine.travel(last + wait * timedelta(0), tick=False):
            assert data(staff, "today")["total_requests"] == 1
        with time_machine.travel(first + timedelta(hours=21) + wait * A_WHILE, tick=False):
            today, trend = data(staff, "today"), data(staff, "trend?days=2")
            users = data(staff, "users/top")
        assert (today["total_requests"], today["unique_users"]) == (2, 1)
        assert [(day["date"], day["total_requests"]) for day in trend] == [
            (before[:10], 1),
            (after[:10], 2),
        ]
        assert users[0]["first_request"] == first.isoformat()
        assert users[1]["last_request"] == last.isoformat()
    assert RollUp.objects.get(pk="request_log").upto > 0


def test_an_hour_that_comes_twice_is_one_hour(
    staff: Client, live_in: Callable[[str], ZoneInfo]
) -> None:
    live_in("America/New_York")
    first = datetime(2026, 11, 1, 5, 30, tzinfo=timezone.utc)  # 01:30, and an hour later again
    for moment in (first, first + timedelta(hours=1)):
        log(moment, user_id=str(moment))
    second = first + timedelta(hours=1)
    with time_machine.travel(second, tick=False):
        list(chunks.roll_up())
        list(chunks.roll_up())
        is_settled_at_once = RollUp.objects.get(pk="request_log").upto > 0
        today = data(staff, "today")
    with time_machine.travel(second + A_WHILE, tick=False):
        assert data(staff, "today") == today

    assert not is_settled_at_once
    assert (today["total_requests"], today["unique_users"]) == (2, 2)
    assert RollUp.objects.get(pk="request_log").upto > 0
