import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from classification.models import CacheEntry, PromptVersion, RequestLog
from classification.pipeline.write_behind import buffer
from tests.support.api import HASH, check_cache, make_entry

pytestmark = pytest.mark.django_db


def test_a_known_photo_is_answered(client: Client) -> None:
    make_entry()
    response = check_cache(client)
    body = response.json()

    assert response.status_code == 200
    assert re.fullmatch(r"req_\d{10}_[0-9a-f]{12}", body.pop("request_id"))
    assert re.fullmatch(r"20\d\d-.*[+]08:00", body.pop("timestamp"))
    assert body == {
        "success": True,
        "cached": True,
        "data": {"category": "pets", "confidence": 0.9, "description": "一只猫"},
        "from_cache": True,
    }


def test_an_unknown_photo_is_no_request(client: Client) -> None:
    body = check_cache(client).json()
    buffer.flush()

    assert (body["success"], body["cached"], body["data"], body["from_cache"]) == (
        True,
        False,
        None,
        False,
    )
    assert body["message"]
    assert not RequestLog.objects.exists()


def test_a_hit_is_one_request_and_counts_up_its_entry(client: Client) -> None:
    entry = make_entry()
    response = check_cache(
        client, user_id="body", headers={"X-User-ID": "设备-1".encode().decode("latin-1")}
    )
    buffer.flush()
    row = RequestLog.objects.get()
    entry.refresh_from_db()

    assert (row.request_id, row.user_id, row.ip_address, row.image_hash) == (
        response.json()["request_id"],
        "设备-1",
        "127.0.0.1",
        HASH,
    )
    assert (row.outcome, row.source, row.from_cache, row.category) == ("ok", "cache", True, "pets")
    assert (row.cost, row.saved) == (Decimal(0), Decimal("0.0012"))
    assert entry.hit_count == 2


def test_hits_on_one_photo_are_written_with_one_update(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    entry = make_entry()
    for _ in range(30):
        check_cache(client)
    with django_assert_num_queries(5):  # savepoint, id, rows, counts, release
        buffer.flush()
    entry.refresh_from_db()

    assert entry.hit_count == 31
    assert RequestLog.objects.count() == 30


def test_a_hot_entry_needs_no_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_entry()
    check_cache(client)
    with django_assert_num_queries(0):
        assert check_cache(client).json()["cached"]


def test_either_case_of_the_hash_is_the_same_photo(client: Client) -> None:
    make_entry()

    assert check_cache(client, HASH.upper()).json()["cached"]


@pytest.mark.parametrize("wrong", ["", "ab", "g" * 64, HASH + "0", 12, None, [HASH], {}])
def test_a_wrong_hash_is_refused(client: Client, wrong: Any) -> None:
    response = check_cache(client, wrong)

    assert response.status_code == 400
    assert response.json()["error_code"] in (
        ("invalid_request",) if wrong is None else ("invalid_hash",)
    )


def test_a_correction_is_served_at_once(client: Client) -> None:
    entry = make_entry()
    check_cache(client)
    entry.category = "foods"
    entry.save()

    assert check_cache(client).json()["data"]["category"] == "foods"


def test_a_removed_entry_is_unknown_at_once(client: Client) -> None:
    make_entry()
    check_cache(client)
    CacheEntry.objects.all().delete()

    assert not check_cache(client).json()["cached"]


def test_a_local_answer_is_unknown_while_the_paid_model_is_configured(
    client: Client, settings: Settings
) -> None:
    make_entry(provider="local", prompt_version=None)
    settings.LLM_PROVIDER = "local"
    assert check_cache(client).json()["cached"]
    settings.LLM_PROVIDER = "aliyun"
    assert not check_cache(client).json()["cached"]


@pytest.mark.parametrize(
    ("fields", "cached"),
    [
        ({"prompt_version": 1}, False),
        ({"prompt_version": None}, False),
        ({"prompt_version": 2}, True),
        ({"prompt_version": 1, "corrected_at": "2026-01-01T00:00:00Z"}, True),
    ],
)
def test_answers_to_prompts_declared_out_of_date_are_unknown(
    client: Client, fields: dict[str, Any], cached: bool
) -> None:
    PromptVersion.objects.create(version=2, text="x", accepted_from=2)
    make_entry(**fields)

    assert check_cache(client).json()["cached"] is cached


def test_a_card_that_an_older_service_described_has_no_description(client: Client) -> None:
    make_entry(category="idcard", description="张三 110101199003070000")

    assert check_cache(client).json()["data"]["description"] is None


def test_an_entry_of_no_category_is_unknown(client: Client) -> None:
    make_entry(category="dogs")

    assert not check_cache(client).json()["cached"]


def test_hit_counts_rise_without_a_request_log(client: Client, settings: Settings) -> None:
    settings.ENABLE_REQUEST_LOG = False
    entry = make_entry()
    check_cache(client)
    buffer.flush()
    entry.refresh_from_db()

    assert entry.hit_count == 2
    assert not RequestLog.objects.exists()


def test_a_hundred_hashes_need_one_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    known = [f"{number:064x}" for number in range(50)]
    for image_hash in known:
        make_entry(image_hash)
    check_cache(client, known[0])  # which makes it and the prompt hot
    hashes = [f"{number:064X}" for number in range(100)]
    with django_assert_num_queries(1):
        response = client.post(
            "/api/v1/classify/batch-check-cache",
            json.dumps({"image_hashes": hashes}),
            "application/json",
        )
    body = response.json()
    buffer.flush()

    assert (body["success"], body["total"], body["cached_count"]) == (True, 100, 50)
    assert [item["image_hash"] for item in body["items"] if item["cached"]] == known
    assert body["items"][0]["data"]["category"] == "pets"
    assert body["items"][99] == {"image_hash": f"{99:064x}", "cached": False, "data": None}
    assert RequestLog.objects.count() == 51


@pytest.mark.parametrize(
    ("hashes", "code"),
    [
        ([], "invalid_request"),
        (["0" * 64] * 101, "invalid_request"),
        ("0" * 64, "invalid_request"),
    ],
)
def test_a_wrong_batch_of_hashes_is_refused(client: Client, hashes: Any, code: str) -> None:
    response = client.post(
        "/api/v1/classify/batch-check-cache",
        json.dumps({"image_hashes": hashes}),
        "application/json",
    )

    assert (response.status_code, response.json()["error_code"]) == (400, code)


def test_what_is_no_hash_spoils_no_other(client: Client) -> None:
    make_entry()
    wrong = ["x", None, 7, {"a": 1}, "0" * 63]
    response = client.post(
        "/api/v1/classify/batch-check-cache",
        json.dumps({"image_hashes": [HASH, *wrong]}),
        "application/json",
    )
    body = response.json()
    known, *others = body["items"]

    assert (response.status_code, body["total"], body["cached_count"]) == (200, 6, 1)
    assert (known["image_hash"], known["cached"], "error_code" in known) == (HASH, True, False)
    assert [item["cached"] for item in others] == [False] * 5
    assert [item["error_code"] for item in others] == ["invalid_hash"] * 5
    assert [item["image_hash"] for item in others][:2] == ["x", None]


def test_what_is_dropped_beyond_the_bound_is_counted_and_shown(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classification.pipeline.write_behind.MAX_WAITING", 3)
    monkeypatch.setattr(buffer, "dropped", 0)
    make_entry()
    for _ in range(5):
        check_cache(client)
    health = client.get("/api/v1/health").json()
    buffer.flush()

    assert (health["log_rows_waiting"], health["log_rows_dropped"]) == (3, 2)
    assert RequestLog.objects.count() == 3
