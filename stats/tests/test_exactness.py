"""Whatever comes in whatever order, and however far it is rolled up, the figures are those that
a plain count of the rows gives."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stats.rollup import chunks
from tests.support.history import A_WHILE, NOW, call, figures, log

pytestmark = pytest.mark.django_db

Row = dict[str, Any]
DAYS = 3
MICRO_YUAN = st.integers(0, 2000).map(lambda number: Decimal(number) / 1_000_000)
# The last days up to now, so that rows of one day come before and after those of another.
TIMES = st.integers(0, (DAYS - 1) * 86_400).map(lambda seconds: NOW - timedelta(seconds=seconds))
HIT = {"from_cache": True, "source": "cache"}
KINDS: list[Row] = [
    HIT | {"saved": Decimal("0.00072")},
    HIT | {"saved": Decimal("0.000001"), "category": "foods", "processing_time_ms": 3},
    {"processing_time_ms": 2100},
    {"category": "other", "confidence": Decimal("0.31")},
    {"outcome": "model_timeout", "source": "none", "category": "other", "confidence": 0},
    {"outcome": "model_busy", "source": "local", "category": "foods"},  # stood in for
    {"outcome": "invalid_image", "source": "", "category": "", "processing_time_ms": None},
]
LOG = st.builds(
    lambda at, kind, user, ip: ("log", {"at": at, "user_id": user, "ip_address": ip} | kind),
    TIMES,
    st.sampled_from(KINDS),
    st.sampled_from(["a", "A", "ä", "b", "\x01", "\x01b", "\u200b", "", None]),
    st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1", None]),
)
CALL = st.builds(
    lambda at, billed, cost: ("call", {"at": at, "billed": billed, "cost": cost}),
    TIMES,
    st.sampled_from(["yes", "no", "perhaps"]),
    MICRO_YUAN,
)
# How far a row's id is from its turn: nodes of a cluster give theirs by themselves.
SHIFTS = st.lists(st.sampled_from([0, 0, 0, -10, 10]), min_size=25, max_size=25)
ROLL_UP = st.integers(1, 5).map(lambda rows: ("roll up", rows))
HERE: Row = {"at": NOW, "ip_address": "192.0.2.1"}
STEPS = st.lists(st.one_of(LOG, LOG, CALL, ROLL_UP), max_size=25)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS, is_purged=st.booleans(), shifts=SHIFTS)
# Of two users whose ids differ in case, one is rolled up.
@example(
    steps=[
        ("log", HERE | {"user_id": "a"}),
        ("roll up", 1),
        ("log", HERE | {"user_id": "a"}),
        ("log", HERE | {"user_id": "A"}),
    ],
    is_purged=False,
    shifts=[0] * 25,
)
# A collation puts control characters before "", or ignores them.
@example(
    steps=[
        ("log", HERE | {"user_id": "\x01b"}),
        ("roll up", 1),
        ("log", HERE | {"user_id": "\x01"}),
        ("log", HERE | {"user_id": "\u200b"}),
    ],
    is_purged=False,
    shifts=[0] * 25,
)
# A day before yesterday still gets rows when its addresses could be purged.
@example(
    steps=[
        ("log", HERE | {"user_id": "a", "at": NOW - timedelta(days=2)}),
        ("roll up", 1),
        ("log", HERE | {"user_id": "a", "at": NOW - timedelta(days=2)}),
    ],
    is_purged=True,
    shifts=[0] * 25,
)
def test_figures_are_a_plain_count(
    staff: Client, steps: list[tuple[str, Any]], is_purged: bool, shifts: list[int]
) -> None:
    now = NOW
    with transaction.atomic():
        for number, (step, value) in enumerate(steps):
            now += A_WHILE
            with time_machine.travel(now, tick=False):
                if step == "roll up":
                    list(chunks.roll_up(value))
                else:
                    # Three ids for each, so that shifted ones are nobody else's.
                    {"log": log, "call": call}[step](pk=3 * number + 100 + shifts[number], **value)
        if any(shifts):
            now += now - NOW  # every chunk is looked at again
        with time_machine.travel(now, tick=False):
            if is_purged:
                call_command("purge_request_log", "--older-than=0", verbosity=0)
            found = figures(staff, ADDRESSES)
        transaction.set_rollback(True)

    rows = [DEFAULTS | value for step, value in steps if step == "log"]
    calls = [value for step, value in steps if step == "call"]
    assert found == dict(zip(ADDRESSES, counted(rows, calls), strict=True))


ADDRESSES = ("today", "trend?days=3", "category-distribution", "errors?days=3", "users/top")
DEFAULTS: Row = {
    "category": "pets",
    "confidence": Decimal("0.9"),
    "processing_time_ms": 10,
    "source": "llm",
    "outcome": "ok",
    "from_cache": False,
    "saved": Decimal(0),
}


def counted(rows: list[Row], calls: list[Row]) -> Iterable[Any]:
    """What each of ADDRESSES should answer."""
    today = NOW.date()
    perhaps = [c for c in calls if c["billed"] == "perhaps" and c["at"].date() == today]
    yield a_day(today, rows, calls) | {
        "perhaps_billed_calls": len(perhaps),
        "perhaps_billed_cost": float(sum(c["cost"] for c in perhaps)),
    }
    days = [today - timedelta(days=age) for age in reversed(range(DAYS))]
    yield [a_day(day, rows, calls) | {"date": str(day), **p95(day, rows)} for day in days]
    yield categories([row for row in rows if row["category"] and row["source"] != "none"])
    failures = Counter(row["outcome"] for row in rows if row["outcome"] != "ok")
    yield [
        {"error_code": code, "count": count}
        for code, count in sorted(failures.items(), key=lambda item: (-item[1], item[0]))
    ]
    yield users(rows)


def a_day(day: date, rows: list[Row], calls: list[Row]) -> Row:
    those = [row for row in rows if row["at"].date() == day]
    hits = sum(row["from_cache"] for row in those)
    times = durations(day, rows)
    spent = sum(c["cost"] for c in calls if c["billed"] == "yes" and c["at"].date() == day)
    return {
        "total_requests": len(those),
        "cache_hits": hits,
        "cache_misses": len(those) - hits,
        "cache_hit_rate": round(100 * hits / len(those), 2) if those else 0,
        "unique_users": len({row["user_id"] for row in those} - {"", None}),
        "unique_ips": len({row["ip_address"] for row in those} - {None}),
        "avg_processing_time_ms": round(sum(times) / len(times), 2) if times else 0,
        "estimated_cost": float(spent),
        "cost_saved": float(sum(row["saved"] for row in those)),
        "failed_requests": sum(row["outcome"] != "ok" for row in those),
    }


def durations(day: date, rows: list[Row]) -> list[int]:
    return sorted(
        row["processing_time_ms"]
        for row in rows
        if row["at"].date() == day and row["processing_time_ms"] is not None
    )


def p95(day: date, rows: list[Row]) -> Row:
    times = durations(day, rows)
    enough = [time for number, time in enumerate(times, 1) if number >= 0.95 * len(times)]
    return {"p95_processing_time_ms": enough[0] if enough else 0}


def categories(answers: list[Row]) -> list[Row]:
    by_category = defaultdict(list)
    for row in answers:
        by_category[row["category"]].append(row["confidence"])
    return [
        {
            "category": category,
            "count": len(found),
            "percentage": round(100 * len(found) / len(answers), 2),
            "avg_confidence": round(float(sum(found) / len(found)), 4),
        }
        for category, found in sorted(by_category.items(), key=lambda i: (-len(i[1]), i[0]))
    ]


def users(rows: list[Row]) -> list[Row]:
    by_user: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["user_id"]:
            by_user[row["user_id"]].append(row)
    return [
        {
            "user_id": user,
            "request_count": len(found),
            "cache_hits": (hits := sum(row["from_cache"] for row in found)),
            "cache_hit_rate": round(100 * hits / len(found), 2),
            "first_request": text(min(row["at"] for row in found)),
            "last_request": text(max(row["at"] for row in found)),
        }
        for user, found in sorted(by_user.items(), key=lambda i: (-len(i[1]), i[0]))
    ]


def text(at: datetime) -> str:
    return at.isoformat()
