from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token

from classification.models import CacheEntry
from tests.support.history import SHANGHAI, data, log

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 0, 30, tzinfo=SHANGHAI)
ADDRESSES = (
    "today",
    "cache-efficiency",
    "category-distribution",
    "users/top",
    "trend",
    "errors",
)


def ask(client: Client, address: str, **headers: str) -> Any:
    return client.get(f"/api/v1/stats/{address}", headers=headers)


@pytest.fixture
def history() -> None:
    """Three answers, a hit and a failure today; two requests yesterday, a minute before it."""
    log(NOW, cost=Decimal("0.0012"))
    log(NOW, category="foods", cost=Decimal("0.0008"), user_id="u2", ip_address="192.0.2.2")
    log(NOW, from_cache=True, source="cache", saved=Decimal("0.0012"), processing_time_ms=1)
    log(NOW, category="other", confidence=0, source="none", outcome="model_timeout")
    log(NOW, category="", confidence=0, source="", outcome="invalid_image", user_id=None)
    yesterday = NOW - timedelta(minutes=31)
    log(yesterday, category="foods", confidence=Decimal("0.5"), user_id="u2")
    log(yesterday, user_id="u3", cost=Decimal(5))


@pytest.mark.usefixtures("history")
def test_today_is_the_local_day(staff: Client) -> None:
    with time_machine.travel(NOW, tick=False):
        found = data(staff, "today")

    assert found == {
        "total_requests": 5,
        "cache_hits": 1,
        "cache_misses": 4,
        "cache_hit_rate": 20.0,
        "unique_users": 2,
        "unique_ips": 2,
        "avg_processing_time_ms": 8.2,
        "estimated_cost": 0.002,
        "cost_saved": 0.0012,
        "failed_requests": 2,
        "perhaps_billed_calls": 0,
        "perhaps_billed_cost": 0,
    }


def test_an_empty_day_is_zeros(staff: Client) -> None:
    assert set(data(staff, "today").values()) == {0}
    assert set(data(staff, "cache-efficiency").values()) == {0}
    assert data(staff, "category-distribution") == data(staff, "users/top") == []


@pytest.mark.usefixtures("history")
def test_the_request_that_made_an_entry_is_no_saving(staff: Client) -> None:
    for number, hits in enumerate((1, 4, 10)):
        CacheEntry.objects.create(
            image_hash=f"{number:064x}", category="pets", confidence=1, hit_count=hits
        )
    found = data(staff, "cache-efficiency")

    assert found == {
        "total_cached_images": 3,
        "total_hits": 15,
        "times_saved": 12,
        "cost_saved": 0.0012,
        "avg_hit_per_image": 5.0,
        "max_hits": 10,
        "corrected_images": 0,
    }


@pytest.mark.usefixtures("history")
def test_failures_are_no_category(staff: Client) -> None:
    assert data(staff, "category-distribution") == [
        {"category": "pets", "count": 3, "percentage": 60.0, "avg_confidence": 0.9},
        {"category": "foods", "count": 2, "percentage": 40.0, "avg_confidence": 0.7},
    ]


@pytest.mark.usefixtures("history")
def test_top_users_come_first(staff: Client) -> None:
    rows = data(staff, "users/top?limit=2")

    assert [(row["user_id"], row["request_count"], row["cache_hits"]) for row in rows] == [
        ("u1", 3, 1),
        ("u2", 2, 0),
    ]
    assert rows[0]["cache_hit_rate"] == 33.33
    assert rows[1]["first_request"] == "2026-03-01T23:59:00+08:00"
    assert rows[1]["last_request"] == "2026-03-02T00:30:00+08:00"


@pytest.mark.parametrize(
    "address",
    [
        *(f"users/top?limit={limit}" for limit in ("0", "101", "x")),
        *(f"{name}?days={days}" for name in ("trend", "errors") for days in ("0", "367", "x")),
    ],
)
def test_a_wrong_parameter_is_refused(staff: Client, address: str) -> None:
    response = ask(staff, address)

    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_request")


@pytest.mark.usefixtures("history")
def test_the_trend_has_every_day(staff: Client) -> None:
    with time_machine.travel(NOW, tick=False):
        rows = data(staff, "trend?days=3")

    assert [
        (row["date"], row["total_requests"], row["p95_processing_time_ms"]) for row in rows
    ] == [("2026-02-28", 0, 0), ("2026-03-01", 2, 10), ("2026-03-02", 5, 10)]


@pytest.mark.usefixtures("history")
def test_failures_are_counted_by_code(staff: Client) -> None:
    with time_machine.travel(NOW, tick=False):
        assert data(staff, "errors") == [
            {"error_code": "invalid_image", "count": 1},
            {"error_code": "model_timeout", "count": 1},
        ]
        assert data(staff, "errors?days=1") == data(staff, "errors")


def test_a_correction_is_counted(staff: Client) -> None:
    entry = CacheEntry.objects.create(image_hash="0" * 64, category="pets", confidence=1)
    entry.correct("foods", by=User.objects.get())
    entry.save()

    assert data(staff, "cache-efficiency")["corrected_images"] == 1


@pytest.mark.parametrize("address", ADDRESSES)
def test_figures_are_for_staff(client: Client, address: str) -> None:
    nobody = ask(client, address)
    client.force_login(User.objects.create_user("user"))
    user = ask(client, address)

    assert (nobody.status_code, nobody.json()["error_code"]) == (401, "not_authenticated")
    assert (user.status_code, user.json()["error_code"]) == (403, "permission_denied")


def test_a_wrong_token_or_one_of_nobody_is_not_enough(client: Client) -> None:
    gone = User.objects.create_user("gone", is_staff=True, is_active=False)
    app = User.objects.create_user("app")
    keys = ["0" * 40, Token.objects.create(user=gone).key, Token.objects.create(user=app).key]
    answers = [ask(client, "today", Authorization=f"Token {key}") for key in keys]

    assert [answer.status_code for answer in answers] == [401, 401, 403]
    assert answers[0]["WWW-Authenticate"] == "Bearer"


def test_a_token_is_enough(client: Client) -> None:
    token = Token.objects.create(user=User.objects.create_user("staff", is_staff=True))

    assert ask(client, "today", Authorization=f"Token {token.key}").status_code == 200
