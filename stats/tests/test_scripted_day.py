"""A day as it was, played over HTTP, against figures worked out by hand.

Tokens are 800 in and 40 out. At 0.8 and 2 yuan a million a call costs 0.00072, from noon of
the second of March twice as much; a call that timed out would cost 0.01.
"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from classification.pricing import PriceTable
from classification.recorder import recorder
from classification.tests.dashscope_server import DashScopeServer
from classification.tests.pictures import photo
from classification.tests.test_classify import sha256
from stats.tests.history import data

pytestmark = pytest.mark.django_db

SHANGHAI, LONDON, NEW_YORK = map(ZoneInfo, ("Asia/Shanghai", "UTC", "America/New_York"))
PRICES = {
    "qwen-vl-plus": [
        {"from": "2026-01-01", "input": 0.8, "output": 2.0},
        {"from": "2026-03-02T12:00:00", "input": 1.6, "output": 4.0},
    ]
}


def at(text: str, zone: ZoneInfo = SHANGHAI) -> time_machine.travel:
    return time_machine.travel(datetime.fromisoformat(text).replace(tzinfo=zone), tick=False)


@pytest.fixture
def ask(client: Client) -> Callable[[int, str], Any]:
    """Ask by hash."""

    def ask(seed: int, user: str) -> Any:
        body = json.dumps({"image_hash": sha256(photo(seed=seed)), "user_id": user})
        answer = client.post("/api/v1/classify/check-cache", body, "application/json").json()
        recorder.flush()
        assert answer["cached"] is True
        return answer

    return ask


@pytest.fixture
def upload(client: Client) -> Callable[..., Any]:
    def upload(seed: int, user: str, content: bytes = b"") -> Any:
        file = SimpleUploadedFile("p.jpg", content or photo(seed=seed), "image/jpeg")
        answer = client.post("/api/v1/classify", {"image": file, "user_id": user}).json()
        recorder.flush()
        return answer

    return upload


@pytest.fixture
def played(
    model: DashScopeServer,
    settings: Settings,
    ask: Callable[..., Any],
    upload: Callable[..., Any],
) -> None:
    settings.LLM_PRICES = PriceTable.parse(PRICES, Decimal("0.01"), "Asia/Shanghai")
    with at("2026-03-01 15:59:30", LONDON):  # half a minute before midnight in Shanghai
        assert upload(1, "u1")["source"] == "llm"
    with at("2026-03-01 11:00:10", NEW_YORK):  # ten seconds after it
        ask(1, "u1")
    with at("2026-03-02 00:30:00", LONDON):
        assert upload(2, "u2")["source"] == "llm"
    with at("2026-03-02 09:00:00"):
        model.script("InternalError", "ok")
        assert upload(3, "u2")["source"] == "llm"
    with at("2026-03-02 10:00:00"):
        model.script("hang")
        settings.LLM_TIMEOUT = 1
        assert upload(4, "u3")["error_code"] == "model_timeout"
    model.script("ok")
    with at("2026-03-02 11:00:00"):
        assert upload(0, "u3", b"no photo")["error_code"] == "invalid_image"
    with at("2026-03-02 11:59:59"):
        ask(2, "u1")
    model.category, model.confidence = "foods", 0.85
    with at("2026-03-02 12:00:00"):
        assert upload(5, "u1")["source"] == "llm"
    with at("2026-03-02 12:30:00"):
        ask(5, "u4")
        ask(1, "u4")  # saves what it cost yesterday
    with at("2026-03-02 23:59:59"):
        assert upload(3, "u2")["source"] == "cache"
    with at("2026-03-02 16:00:00", LONDON):  # midnight in Shanghai: tomorrow
        ask(1, "u1")


@pytest.fixture
def staff(played: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    return client


def test_the_day_over_the_api(staff: Client) -> None:
    with at("2026-03-02 23:59:59"):
        today = data(staff, "today")

    assert today.pop("avg_processing_time_ms") > 0
    assert today == {
        "total_requests": 10,
        "cache_hits": 5,
        "cache_misses": 5,
        "cache_hit_rate": 50.0,
        "unique_users": 4,
        "unique_ips": 1,
        "estimated_cost": 0.00288,  # 2 x 0.00072 + 0.00144
        "cost_saved": 0.00432,  # 4 x 0.00072 + 0.00144
        "failed_requests": 2,
        "perhaps_billed_calls": 1,
        "perhaps_billed_cost": 0.01,
    }


@pytest.mark.parametrize("readings", [1, 4])
def test_the_days_before_and_after(staff: Client, readings: int) -> None:
    for number in range(readings):  # each adds up what is settled
        with at(f"2026-03-03 09:00:{10 * number:02}"):
            trend = data(staff, "trend?days=4")
            errors = data(staff, "errors?days=2")
            categories = data(staff, "category-distribution")
            users = data(staff, "users/top?limit=3")
            efficiency = data(staff, "cache-efficiency")

    columns = (
        "date",
        "total_requests",
        "cache_hits",
        "failed_requests",
        "unique_users",
        "estimated_cost",
        "cost_saved",
    )
    assert [tuple(day[column] for column in columns) for day in trend] == [
        ("2026-02-28", 0, 0, 0, 0, 0, 0),
        ("2026-03-01", 1, 0, 0, 1, 0.00072, 0),
        ("2026-03-02", 10, 5, 2, 4, 0.00288, 0.00432),
        ("2026-03-03", 1, 1, 0, 1, 0, 0.00072),
    ]
    assert trend[2]["p95_processing_time_ms"] >= 1000 > trend[1]["p95_processing_time_ms"]
    assert errors == [
        {"error_code": "invalid_image", "count": 1},
        {"error_code": "model_timeout", "count": 1},
    ]
    assert categories == [
        {"category": "pets", "count": 8, "percentage": 80.0, "avg_confidence": 0.95},
        {"category": "foods", "count": 2, "percentage": 20.0, "avg_confidence": 0.85},
    ]
    assert [(user["user_id"], user["request_count"], user["cache_hits"]) for user in users] == [
        ("u1", 5, 3),
        ("u2", 3, 1),
        ("u3", 2, 0),
    ]
    assert users[0]["first_request"] == "2026-03-01T23:59:30+08:00"
    assert users[0]["last_request"] == "2026-03-03T00:00:00+08:00"
    assert efficiency == {
        "total_cached_images": 4,
        "total_hits": 10,
        "times_saved": 6,
        "cost_saved": 0.00504,
        "avg_hit_per_image": 2.5,
        "max_hits": 4,
        "corrected_images": 0,
    }


@pytest.mark.usefixtures("played")
def test_the_ledger_of_the_day(tmp_path: Path) -> None:
    file = tmp_path / "ledger.json"
    options = ["--from=2026-03-01", "--to=2026-03-03", "--format=json", f"--output={file}"]
    call_command("export_stats", "--ledger", *options)

    assert json.loads(file.read_text()) == [
        {
            "day": "2026-03-01",
            "model": "qwen-vl-plus",
            "calls": 1,
            "billed_calls": 1,
            "input_tokens": 800,
            "output_tokens": 40,
            "billed_cost": 0.00072,
            "perhaps_billed_calls": 0,
            "perhaps_billed_cost": 0.0,
        },
        {
            "day": "2026-03-02",
            "model": "qwen-vl-plus",
            "calls": 5,  # two answers before noon, one of them at the second try, one after it
            "billed_calls": 3,
            "input_tokens": 2400,
            "output_tokens": 120,
            "billed_cost": 0.00288,
            "perhaps_billed_calls": 1,
            "perhaps_billed_cost": 0.01,
        },
    ]
