"""A day as it was, played over HTTP, against figures worked out by hand: every one there is.

Tokens are 800 in and 40 out. At 0.8 and 2 yuan a million a call costs 0.00072, from noon of
the second of March twice as much; a call that timed out would cost 0.01.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
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

from classification.billing.prices import PriceTable
from classification.models import RequestLog
from classification.pipeline.write_behind import buffer
from stats.models import RollUp
from stats.rollup import chunks
from tests.support.api import sha256
from tests.support.dashscope_server import DashScopeServer
from tests.support.history import data
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db

SHANGHAI, LONDON, NEW_YORK = map(ZoneInfo, ("Asia/Shanghai", "UTC", "America/New_York"))
PRICES = {
    "qwen-vl-plus": [
        {"from": "2026-01-01", "input": 0.8, "output": 2.0},
        {"from": "2026-03-02T12:00:00", "input": 1.6, "output": 4.0},
    ]
}


# What each request took, in milliseconds, by the order they came in.
TOOK = [900, 2, 1100, 1500, 1000, 5, 3, 1200, 1, 2, 40, 4]


def address(user: str) -> str:
    return user.replace("u", "192.0.2.")


def at(text: str, zone: ZoneInfo = SHANGHAI) -> time_machine.travel:
    return time_machine.travel(datetime.fromisoformat(text).replace(tzinfo=zone), tick=False)


@pytest.fixture
def ask(client: Client) -> Callable[[int, str], Any]:
    """Ask by hash."""

    def ask(seed: int, user: str) -> Any:
        body = json.dumps({"image_hash": sha256(photo(seed=seed)), "user_id": user})
        answer = client.post(
            "/api/v1/classify/check-cache", body, "application/json", REMOTE_ADDR=address(user)
        ).json()
        buffer.flush()
        assert answer["cached"] is True
        return answer

    return ask


@pytest.fixture
def upload(client: Client) -> Callable[..., Any]:
    def upload(seed: int, user: str, content: bytes = b"") -> Any:
        file = SimpleUploadedFile("p.jpg", content or photo(seed=seed), "image/jpeg")
        form = {"image": file, "user_id": user}
        answer = client.post("/api/v1/classify", form, REMOTE_ADDR=address(user)).json()
        buffer.flush()
        return answer

    return upload


@pytest.fixture
def played(
    model: DashScopeServer,
    settings: Settings,
    ask: Callable[..., Any],
    upload: Callable[..., Any],
) -> None:
    settings.LLM_MODEL = "qwen-vl-plus"  # not yet retired on these days
    settings.LLM_PRICES = PriceTable.parse(
        PRICES, Decimal("0.01"), "Asia/Shanghai", settings.MODEL_TABLE
    )
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
    for row, milliseconds in zip(RequestLog.objects.order_by("pk"), TOOK, strict=True):
        row.processing_time_ms = milliseconds
        row.save()


@pytest.fixture
def staff(played: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    return client


@pytest.mark.parametrize("is_rolled_up", [False, True], ids=["pending", "rolled up"])
def test_every_figure(
    staff: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_rolled_up: bool
) -> None:
    if not is_rolled_up:
        monkeypatch.setattr(chunks, "SETTLING_SECONDS", 1e9)
    with at("2026-03-03 00:00:00") as clock:
        list(chunks.roll_up())
        clock.shift(timedelta(minutes=1))
        list(chunks.roll_up())
    assert (RollUp.objects.get(pk="request_log").upto > 0) == is_rolled_up

    check_today(staff)
    check_every_other_endpoint(staff)
    check_the_dashboard(staff)
    check_every_export(tmp_path)


FIRST = {
    "total_requests": 1,
    "cache_hits": 0,
    "cache_misses": 1,
    "cache_hit_rate": 0,
    "unique_users": 1,
    "unique_ips": 1,
    "avg_processing_time_ms": 900,
    "estimated_cost": 0.00072,
    "cost_saved": 0,
    "failed_requests": 0,
}
SECOND = {
    "total_requests": 10,
    "cache_hits": 5,
    "cache_misses": 5,
    "cache_hit_rate": 50,
    "unique_users": 4,
    "unique_ips": 4,
    "avg_processing_time_ms": 485.3,
    "estimated_cost": 0.00288,  # 2 x 0.00072 + 0.00144
    "cost_saved": 0.00432,  # 4 x 0.00072 + 0.00144
    "failed_requests": 2,
}
THIRD = {
    "total_requests": 1,
    "cache_hits": 1,
    "cache_misses": 0,
    "cache_hit_rate": 100,
    "unique_users": 1,
    "unique_ips": 1,
    "avg_processing_time_ms": 4,
    "estimated_cost": 0,
    "cost_saved": 0.00072,
    "failed_requests": 0,
}
DAYS = [
    {"date": "2026-03-01", **FIRST, "p95_processing_time_ms": 900},
    {"date": "2026-03-02", **SECOND, "p95_processing_time_ms": 1500},
    {"date": "2026-03-03", **THIRD, "p95_processing_time_ms": 4},
]


def check_today(staff: Client) -> None:
    with at("2026-03-02 23:59:59"):
        second = data(staff, "today")
    with at("2026-03-03 00:00:00"):
        third = data(staff, "today")

    assert second == SECOND | {"perhaps_billed_calls": 1, "perhaps_billed_cost": 0.01}
    assert third == THIRD | {"perhaps_billed_calls": 0, "perhaps_billed_cost": 0}


def check_every_other_endpoint(staff: Client) -> None:
    with at("2026-03-03 09:00:00"):
        assert data(staff, "trend?days=3") == DAYS
        assert data(staff, "errors?days=2") == [
            {"error_code": "invalid_image", "count": 1},
            {"error_code": "model_timeout", "count": 1},
        ]
        assert data(staff, "errors?days=1") == []
        assert data(staff, "category-distribution") == [
            {"category": "pets", "count": 8, "percentage": 80, "avg_confidence": 0.95},
            {"category": "foods", "count": 2, "percentage": 20, "avg_confidence": 0.85},
        ]
        assert data(staff, "users/top") == [
            user("u1", 5, 3, 60, "2026-03-01T23:59:30", "2026-03-03T00:00:00"),
            user("u2", 3, 1, 33.33, "2026-03-02T08:30:00", "2026-03-02T23:59:59"),
            user("u3", 2, 0, 0, "2026-03-02T10:00:00", "2026-03-02T11:00:00"),
            user("u4", 2, 2, 100, "2026-03-02T12:30:00", "2026-03-02T12:30:00"),
        ]
        assert data(staff, "cache-efficiency") == {
            "total_cached_images": 4,
            "total_hits": 10,
            "times_saved": 6,
            "cost_saved": 0.00504,
            "avg_hit_per_image": 2.5,
            "max_hits": 4,
            "corrected_images": 0,
        }


def user(name: str, requests: int, hits: int, rate: float, first: str, last: str) -> Any:
    return {
        "user_id": name,
        "request_count": requests,
        "cache_hits": hits,
        "cache_hit_rate": rate,
        "first_request": f"{first}+08:00",
        "last_request": f"{last}+08:00",
    }


def check_the_dashboard(staff: Client) -> None:
    """It compares the morning with that of the day before."""
    with at("2026-03-03 12:00:00"):
        dashboard = staff.get("/").context["dashboard"]

    assert {key: round(float(value), 6) for key, value in dashboard.yesterday.items()} == {
        "total_requests": 6,
        "cache_hits": 2,
        "cache_misses": 4,
        "cache_hit_rate": 33.333333,
        "avg_processing_time_ms": 601.666667,
        "estimated_cost": 0.00144,
        "cost_saved": 0.00144,
        "failed_requests": 2,
    }
    assert float(dashboard.today["cost_saved"]) == 0.00072


def check_every_export(tmp_path: Path) -> None:
    def exported(first: str, last: str, *options: str) -> Any:
        file = tmp_path / "export"
        span = [f"--from={first}", f"--to={last}", "--format=json", f"--output={file}"]
        call_command("export_stats", *span, *options)
        return json.loads(file.read_text())

    assert exported("2026-03-01", "2026-03-03") == DAYS
    assert exported("2026-03-02", "2026-03-02", "--report=categories") == [
        {
            "category": "pets",
            "name": "宠物萌照",
            "count": 6,
            "percentage": 75,
            "avg_confidence": 0.95,
        },
        {
            "category": "foods",
            "name": "美食记录",
            "count": 2,
            "percentage": 25,
            "avg_confidence": 0.85,
        },
    ]
    u1, u2, u3, u4 = exported("2026-03-02", "2026-03-02", "--report=users")
    spent = {"new_photos": 1, "cost": 0.00144}  # at the noon's prices
    assert u1 == spent | user("u1", 3, 2, 66.666667, "2026-03-02T00:00:10", "2026-03-02T12:00:00")
    spent = {"new_photos": 2, "cost": 0.00144}
    assert u2 == spent | user("u2", 3, 1, 33.333333, "2026-03-02T08:30:00", "2026-03-02T23:59:59")
    nothing = {"new_photos": 0, "cost": 0}
    assert u3 == nothing | user("u3", 2, 0, 0, "2026-03-02T10:00:00", "2026-03-02T11:00:00")
    assert u4 == nothing | user("u4", 2, 2, 100, "2026-03-02T12:30:00", "2026-03-02T12:30:00")
    assert exported("2026-03-01", "2026-03-03", "--ledger") == [
        {
            "day": "2026-03-01",
            "model": "qwen-vl-plus",
            "calls": 1,
            "billed_calls": 1,
            "input_tokens": 800,
            "cached_tokens": 0,
            "output_tokens": 40,
            "billed_cost": 0.00072,
            "estimated_billed_cost": 0.0,
            "perhaps_billed_calls": 0,
            "perhaps_billed_cost": 0.0,
        },
        {
            "day": "2026-03-02",
            "model": "qwen-vl-plus",
            "calls": 5,  # two answers before noon, one of them at the second try, one after it
            "billed_calls": 3,
            "input_tokens": 2400,
            "cached_tokens": 0,
            "output_tokens": 120,
            "billed_cost": 0.00288,
            "estimated_billed_cost": 0.0,
            "perhaps_billed_calls": 1,
            "perhaps_billed_cost": 0.01,
        },
    ]
