"""Any range, by the minute, hour or day: the same as a plain count, wherever the rows are."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db.models import QuerySet
from django.test import Client

from classification.models import ModelCall, RequestLog
from stats import models
from stats.rollup import chunks
from tests.support.history import A_WHILE, NOW, SHANGHAI, call, log, scatter

pytestmark = pytest.mark.django_db

LATER = NOW + 3 * A_WHILE
STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
MIDNIGHT = NOW.replace(hour=0, minute=0)
RANGES = [
    (NOW - timedelta(hours=1), NOW, "minute"),
    (MIDNIGHT, NOW, "hour"),
    (NOW - timedelta(hours=24), NOW, "hour"),
    (NOW - timedelta(days=3, minutes=7), NOW - timedelta(minutes=1), "day"),
    (MIDNIGHT - timedelta(days=3), MIDNIGHT, "day"),
    (NOW - timedelta(days=2, hours=3), NOW - timedelta(days=2), "minute"),
    (MIDNIGHT - timedelta(days=2), MIDNIGHT - timedelta(minutes=1), "hour"),
]


def read(client: Client, at: datetime = LATER, **query: Any) -> Any:
    with time_machine.travel(at, tick=False):
        return client.get("/api/v1/stats/range", query)


def of(client: Client, start: datetime, end: datetime, step: str) -> Any:
    body = read(client, start=start.isoformat(), end=end.isoformat(), step=step).json()
    assert body["success"], body
    return body["data"]


def counted(rows: "QuerySet[RequestLog]") -> dict[str, Any]:
    """What a plain count of the rows says."""
    found = list(rows)
    return {
        "total_requests": len(found),
        "cache_hits": sum(row.from_cache for row in found),
        "failed_requests": sum(row.outcome != "ok" for row in found),
        "cost_saved": float(sum(row.saved for row in found)),
    }


def spent(start: datetime, end: datetime) -> float:
    calls = ModelCall.objects.filter(created_at__gte=start, created_at__lt=end, billed="yes")
    return float(sum(row.cost for row in calls))


def within(figures: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    return {name: figures[name] for name in names}


@pytest.fixture(params=["pending", "rolled up", "in part", "by an older release"])
def history(request: pytest.FixtureRequest) -> None:
    scatter(7, 150)
    if request.param == "pending":
        return
    for number in range(3):
        with time_machine.travel(NOW + number * A_WHILE, tick=False):
            list(chunks.roll_up())
    if request.param == "in part":
        scatter(8, 40)
    if request.param == "by an older release":
        models.MinuteCategory.objects.all().delete()
        models.MinuteError.objects.all().delete()
        models.Minute.objects.filter(day__lt=NOW.date() - timedelta(days=1)).delete()


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(("start", "end", "step"), RANGES)
def test_a_range_is_a_plain_count(staff: Client, start: datetime, end: datetime, step: str) -> None:
    found = of(staff, start, end, step)
    rows = RequestLog.objects.filter(created_at__gte=start, created_at__lt=end)
    expected = counted(rows)

    assert within(found["sums"], expected) == pytest.approx(expected)
    assert found["sums"]["estimated_cost"] == pytest.approx(spent(start, end))
    for point in found["points"]:
        first = max(datetime.fromisoformat(point["start"]), start)
        last = min(datetime.fromisoformat(point["start"]) + STEPS[step], end)
        there = counted(rows.filter(created_at__gte=first, created_at__lt=last))
        assert within(point, there) == pytest.approx(there)
        assert point["estimated_cost"] == pytest.approx(spent(first, last))
    assert sum(point["total_requests"] for point in found["points"]) == len(rows)
    failed = rows.exclude(outcome="ok")
    assert {row["error_code"]: row["count"] for row in found["errors"]} == {
        code: failed.filter(outcome=code).count()
        for code in set(failed.values_list("outcome", flat=True))
    }
    answers = rows.exclude(category="").exclude(source="none")
    assert {row["category"]: row["count"] for row in found["categories"]} == {
        category: answers.filter(category=category).count()
        for category in set(answers.values_list("category", flat=True))
    }


@pytest.mark.parametrize(
    ("name", "start", "step", "points"),
    [
        ("1h", NOW - timedelta(minutes=59), "minute", 60),
        ("24h", NOW - timedelta(hours=23, minutes=59), "hour", 25),
        ("today", MIDNIGHT, "hour", 15),
        ("7d", MIDNIGHT - timedelta(days=6), "hour", 24 * 6 + 15),
        ("30d", MIDNIGHT - timedelta(days=29), "day", 30),
        ("90d", MIDNIGHT - timedelta(days=89), "day", 90),
    ],
)
def test_ranges_that_have_a_name(
    staff: Client, name: str, start: datetime, step: str, points: int
) -> None:
    log(NOW)
    log(start)
    log(start - timedelta(seconds=1))
    found = read(staff, at=NOW + timedelta(seconds=30), last=name).json()["data"]

    assert (found["start"], found["step"]) == (start.isoformat(), step)
    assert found["sums"]["total_requests"] == 2
    assert len(found["points"]) == points
    assert found["points"][-1]["total_requests"] == 1


@pytest.mark.parametrize("is_rolled_up", [False, True])
@pytest.mark.parametrize("write", [log, call])
@pytest.mark.parametrize("name", ["1h", "24h", "today", "7d", "90d"])
def test_what_is_later_than_a_range_is_not_in_it(
    staff: Client, name: str, write: Callable[..., None], is_rolled_up: bool
) -> None:
    """As when the clock of another host is ahead."""
    log(NOW, category="pets", cost=1)
    write(NOW + timedelta(minutes=10), cost=1)
    if is_rolled_up:
        for moment in (NOW, NOW + A_WHILE):
            with time_machine.travel(moment, tick=False):
                list(chunks.roll_up())
    found = read(staff, at=NOW + A_WHILE, last=name).json()["data"]

    assert found["sums"]["total_requests"] == found["sums"]["estimated_cost"] == 1
    assert [row["count"] for row in found["categories"]] == [1]
    assert sum(point["total_requests"] for point in found["points"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"last": "2h"},
        {"last": "1h", "start": "2026-03-01T00:00", "end": "2026-03-02T00:00"},
        {"start": "2026-03-01T00:00"},
        {"start": "2026-03-02T00:00", "end": "2026-03-01T00:00"},
        {"start": "2026-03-01T00:00", "end": "x"},
        {"start": "0001-01-01T00:00", "end": "0001-01-02T00:00"},
        {"start": "9999-12-31T00:00", "end": "9999-12-31T01:00"},
        {"last": "90d", "step": "minute"},
        {"last": "1h", "step": "week"},
    ],
)
def test_a_wrong_range_is_refused(staff: Client, query: dict[str, Any]) -> None:
    response = read(staff, **query)

    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_request")


def test_purged_days_are_known_as_a_whole(staff: Client) -> None:
    old = NOW - timedelta(days=40)
    log(old, user_id="a")
    call(old)
    for moment in (NOW, NOW + A_WHILE):
        with time_machine.travel(moment, tick=False):
            list(chunks.roll_up())
    with time_machine.travel(LATER, tick=False):
        call_command("purge_request_log", "--older-than=30d", verbosity=0)
    midnight = old.replace(hour=0, minute=0)
    whole = of(staff, midnight, midnight + timedelta(days=1), "day")
    cut = read(staff, start=midnight.isoformat(), end=old.isoformat())

    assert whole["sums"]["total_requests"] == len(whole["points"]) == 1
    assert (cut.status_code, cut.json()["error_code"]) == (400, "invalid_request")


def test_the_timer_fills_what_an_older_release_left(staff: Client) -> None:
    scatter(9, 60, days=1)
    call_command("roll_up_stats")
    tables = (models.MinuteCategory, models.MinuteError, models.Minute)
    before = [list(table._default_manager.order_by("pk").values()) for table in tables]
    for table in tables[:2]:
        table._default_manager.all().delete()
    with time_machine.travel(LATER, tick=False):
        call_command("roll_up_stats")

    assert [list(table._default_manager.order_by("pk").values()) for table in tables] == before
    assert before[1]


def test_times_are_those_of_the_wall_clock(staff: Client) -> None:
    log(datetime(2026, 3, 2, 0, 10, tzinfo=SHANGHAI))
    found = read(staff, start="2026-03-01T16:00:00Z", end="2026-03-01T17:00:00Z").json()["data"]

    assert found["start"] == "2026-03-02T00:00:00+08:00"
    assert [p["start"] for p in found["points"] if p["total_requests"]] == [
        "2026-03-02T00:10:00+08:00"
    ]
