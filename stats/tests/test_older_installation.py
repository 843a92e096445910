"""Rows of the service that this one replaces: no source, no price, no ledger."""

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from classification.pipeline.write_behind import buffer
from tests.support.history import A_WHILE, NOW, data

pytestmark = pytest.mark.django_db

HASH = "a" * 64


def insert(table: str, **values: Any) -> None:
    """A row with the columns the older service knew; migrations gave the others their values."""
    columns: dict[str, dict[str, Any]] = {
        "image_classification_cache": {"provider": "", "cost": 0, "ask_again": False},
        "request_log": {"outcome": "ok", "source": "", "cost": 0, "saved": 0},
    }
    added = columns[table] | values
    names, marks = ", ".join(added), ", ".join(["%s"] * len(added))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(added.values()))


def insert_request(**values: Any) -> None:
    defaults = {
        "request_id": "old",
        "image_hash": HASH,
        "category": "pets",
        "confidence": 0.9,
        "from_cache": False,
        "created_at": "2026-03-02 10:00:00",
    }
    insert("request_log", **defaults | values)


@pytest.mark.parametrize("is_added_up", [False, True])
def test_its_answers_cost_what_a_call_costs(staff: Client, is_added_up: bool) -> None:
    for _ in range(3):
        insert_request()
    insert_request(from_cache=True)
    insert_request(outcome="invalid_image", category="")  # ours
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(3 if is_added_up else 1):
            today = data(staff, "today")
            clock.shift(A_WHILE)

    assert today["estimated_cost"] == 0.03
    assert today["cost_saved"] == 0.01


def test_a_hit_on_its_entry_saves_what_a_call_costs(staff: Client) -> None:
    insert(
        "image_classification_cache",
        image_hash=HASH,
        category="pets",
        confidence=0.9,
        model_used="qwen-vl-plus",
        hit_count=4,
        created_at="2026-03-01 10:00:00",
        last_hit_at="2026-03-01 10:00:00",
    )
    with time_machine.travel(NOW, tick=False):
        body = {"image_hash": HASH}
        Client().post("/api/v1/classify/check-cache", body, "application/json")
        buffer.flush()

        assert data(staff, "today")["cost_saved"] == 0.01
        assert data(staff, "cache-efficiency")["times_saved"] == 4
