import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from classification import prompts
from classification.billing.prices import PriceTable
from classification.default_prompt import DEFAULT_PROMPT
from classification.models import CacheEntry, Lease, ModelCall, PromptVersion, RequestLog
from classification.pipeline.write_behind import buffer
from clients import forgotten
from clients.models import ForgottenUser
from tests.support.api import is_known, sha256, upload
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.prices import answer_cost

pytestmark = pytest.mark.django_db


def row() -> RequestLog:
    buffer.flush()
    return RequestLog.objects.get()


def test_a_new_photo_is_asked_about_once_and_then_known(
    client: Client, model: DashScopeServer
) -> None:
    data = photo()
    first = upload(client, data, image_hash=sha256(data).upper()).json()
    second = upload(client, data).json()

    assert first["data"] == {"category": "pets", "confidence": 0.95, "description": "一只猫"}
    assert (first["success"], first["from_cache"], first["source"]) == (True, False, "llm")
    assert isinstance(first["processing_time_ms"], int)
    assert "degraded" not in first
    assert second["data"] == first["data"]
    assert (second["from_cache"], second["source"]) == (True, "cache")
    assert is_known(client, data)
    assert len(model.requests) == 1


def test_the_entry_says_which_model_and_prompt_made_it_and_what_it_cost(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    prices = {"qwen3-vl-plus": {"input": 0.8, "output": 2.0}}
    settings.LLM_PRICES = PriceTable.parse(
        prices, Decimal("0.01"), "Asia/Shanghai", settings.MODEL_TABLE
    )
    data = photo()
    upload(client, data)
    entry = CacheEntry.objects.get()

    assert (entry.image_hash, entry.category, entry.confidence) == (
        sha256(data),
        "pets",
        Decimal("0.95"),
    )
    assert (entry.provider, entry.model_used, entry.prompt_version) == (
        "aliyun",
        "qwen3-vl-plus",
        1,
    )
    assert (entry.input_tokens, entry.output_tokens, entry.hit_count) == (800, 40, 1)
    assert entry.cost == Decimal("0.000720")
    assert (entry.model_response or {})["text"].startswith("{")
    call = ModelCall.objects.get()
    assert (call.cost, call.billed, call.image_hash) == (entry.cost, "yes", entry.image_hash)


def test_the_log_row_of_a_paid_answer_is_there_before_the_answer(
    client: Client, model: DashScopeServer
) -> None:
    data = photo()
    body = upload(client, data, user_id="u1").json()
    logged = RequestLog.objects.get()

    assert (logged.request_id, logged.user_id, logged.image_size) == (
        body["request_id"],
        "u1",
        len(data),
    )
    assert (logged.outcome, logged.source, logged.from_cache) == ("ok", "llm", False)
    assert (logged.cost, logged.saved) == (answer_cost(), Decimal(0))
    assert logged.created_date.isoformat() in body["timestamp"]


@pytest.mark.parametrize("user", [{}, {"user_id": "u1"}], ids=["nobody", "a user"])
def test_a_miss_without_rivals_costs_two_more_statements_than_its_rows(
    client: Client,
    model: DashScopeServer,
    django_assert_num_queries: DjangoAssertNumQueries,
    user: dict[str, str],
) -> None:
    ForgottenUser.objects.create(subject=forgotten.subject("u2"))  # costs others nothing
    prompts.current()
    with django_assert_num_queries(8) as queries:  # the lookup, what is begun, and savepoints
        upload(client, photo(), **user)
    statements = [query["sql"].split()[0] for query in queries.captured_queries]

    assert [word for word in statements if word in ("SELECT", "UPDATE", "DELETE")] == ["SELECT"]
    assert statements.count("INSERT") == 5  # lease, reservation, entry, log row, ledger line


def test_a_hash_that_is_not_the_uploads_can_be_refused(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.DECLARED_HASHES = "refuse"
    other = sha256(photo(seed=2))
    response = upload(client, photo(seed=1), image_hash=other)

    assert (response.status_code, response.json()["error_code"]) == (400, "hash_mismatch")
    assert not CacheEntry.objects.exists()
    assert not model.requests
    assert row().outcome == "hash_mismatch"


@pytest.mark.parametrize("wrong", ["xyz", "0" * 63])
def test_a_hash_that_is_none_is_refused(client: Client, model: DashScopeServer, wrong: str) -> None:
    response = upload(client, photo(), image_hash=wrong)

    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_hash")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "invalid_image"),
        (b"not an image", 400, "invalid_image"),
        (photo("BMP"), 400, "unsupported_format"),
        (photo(size=(400, 300))[:3000], 400, "invalid_image"),
        (photo("PNG", size=(5, 100)), 400, "image_dimensions"),
        (photo() + bytes(1024 * 1024), 413, "image_too_large"),
        (photo() + bytes(2 * 1024 * 1024), 413, "image_too_large"),
    ],
)
def test_a_bad_upload_is_refused_logged_and_never_asked_about(
    client: Client,
    model: DashScopeServer,
    settings: Settings,
    data: bytes,
    status: int,
    code: str,
) -> None:
    settings.MAX_IMAGE_SIZE_MB = 1
    response = upload(client, data)

    assert (response.status_code, response.json()["error_code"]) == (status, code)
    assert not model.requests
    logged = row()
    assert (logged.outcome, logged.category, logged.source) == (code, "", "")
    assert not CacheEntry.objects.exists()


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        ("no_verdict", 502, "model_bad_reply"),
        ("unknown_category", 502, "model_bad_reply"),
        ("DataInspectionFailed", 422, "image_rejected"),
        ("close_before_answer", 503, "model_unavailable"),
        ("InvalidApiKey", 503, "model_not_configured"),
        ("hang", 504, "model_timeout"),
    ],
)
def test_a_failed_model_is_refused_and_nothing_is_kept(
    client: Client,
    model: DashScopeServer,
    settings: Settings,
    mode: str,
    status: int,
    code: str,
) -> None:
    settings.LLM_TIMEOUT = 1 if mode == "hang" else 30
    model.script(mode)
    data = photo()
    response = upload(client, data)

    assert (response.status_code, response.json()["error_code"]) == (status, code)
    assert response.has_header("Retry-After") == (code == "model_unavailable")
    assert not is_known(client, data)
    logged = row()
    assert (logged.outcome, logged.category, logged.confidence) == (code, "", Decimal(0))
    assert ModelCall.objects.get().outcome == code


def test_what_a_failed_answer_cost_is_in_the_ledger(client: Client, model: DashScopeServer) -> None:
    model.script("no_verdict")
    upload(client, photo())

    assert ModelCall.objects.get().cost == row().cost == answer_cost()


def test_a_call_that_is_perhaps_billed_is_counted_apart(
    client: Client, model: DashScopeServer
) -> None:
    model.script("close_in_body")
    upload(client, photo())

    assert ModelCall.objects.get().billed == "perhaps"
    assert row().cost == 0


def test_without_a_key_the_model_is_not_configured(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.LLM_API_KEY = ""
    response = upload(client, photo())

    assert (response.status_code, response.json()["error_code"]) == (503, "model_not_configured")


def test_older_apps_are_answered_other_when_the_model_fails(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.ON_MODEL_FAILURE = "other"
    model.script("InternalError", "InvalidApiKey")
    data = photo()
    body = upload(client, data).json()

    assert body["data"] == {"category": "other", "confidence": 0.0, "description": None}
    assert (body["source"], body["degraded"], body["from_cache"]) == ("none", True, False)
    assert not is_known(client, data)
    assert (row().outcome, row().source) == ("model_not_configured", "none")


def test_a_refused_photo_stays_a_refusal_whatever_stands_in(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.ON_MODEL_FAILURE = "other"
    model.script("DataInspectionFailed")

    assert upload(client, photo()).status_code == 422


def test_an_unsure_answer_is_given_but_not_kept(client: Client, model: DashScopeServer) -> None:
    model.confidence = 0.29
    data = photo()
    body = upload(client, data).json()

    assert body["data"]["confidence"] == 0.29
    assert not is_known(client, data)
    assert RequestLog.objects.get().outcome == "ok"


def test_a_paid_answer_replaces_a_local_one_and_keeps_its_hits(
    client: Client, model: DashScopeServer
) -> None:
    data = photo()
    CacheEntry.objects.create(
        image_hash=sha256(data),
        category="foods",
        confidence=Decimal("0.5"),
        model_used="local",
        provider="local",
        hit_count=7,
    )
    upload(client, data)
    entry = CacheEntry.objects.get()

    assert (entry.category, entry.provider, entry.hit_count) == ("pets", "aliyun", 7)
    assert RequestLog.objects.get().source == "llm"


def test_an_id_cards_words_are_not_kept(client: Client, model: DashScopeServer) -> None:
    model.category = "idcard"
    body = upload(client, photo()).json()
    entry = CacheEntry.objects.get()

    assert body["data"]["description"] is None
    assert (entry.description, entry.model_response) == (None, None)


def test_the_prompt_row_rules_over_the_setting(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.CLASSIFICATION_PROMPT = "first json"
    upload(client, photo(seed=1))
    PromptVersion.objects.create(version=2, text="second json")
    upload(client, photo(seed=2))
    texts = [
        request.body["input"]["messages"][0]["content"][0]["text"] for request in model.requests
    ]

    assert texts == ["first json\n", "second json\n"]
    assert list(CacheEntry.objects.order_by("id").values_list("prompt_version", flat=True)) == [
        1,
        2,
    ]


def test_the_default_prompt_names_every_category_and_asks_for_json(
    client: Client, model: DashScopeServer
) -> None:
    upload(client, photo())
    text = model.requests[0].body["input"]["messages"][0]["content"][0]["text"]

    for key in ("social_activities", "pets", "single_person", "foods", "travel_scenery"):
        assert key in text
    assert "JSON" in text


def test_a_lease_is_taken_and_removed_behind_the_request(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(client, photo())
    assert Lease.objects.get().ending == ""
    buffer.flush()
    assert Lease.objects.get().ending == "ok"
    monkeypatch.setattr("classification.pipeline.leases.LINGER_SECONDS", 0)
    buffer.flush()
    assert not Lease.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_other_processes_learn_that_the_database_failed_and_not_that_there_is_a_defect(
    client: Client, model: DashScopeServer
) -> None:
    def lose_reservations(execute: Any, sql: str, *rest: Any) -> Any:
        if "spending_reservation" in sql:
            raise OperationalError("gone")
        return execute(sql, *rest)

    with connection.execute_wrapper(lose_reservations):
        reply = upload(client, photo())

    assert (reply.status_code, reply.json()["error_code"]) == (503, "database_unavailable")
    assert Lease.objects.get().ending == "database_unavailable"
    assert model.requests == []


@pytest.mark.django_db(transaction=True)
def test_a_batch_answers_each_photo_for_itself(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.DECLARED_HASHES = "refuse"
    photos = [photo(seed=1), b"broken", photo(seed=2), photo(seed=3)]
    hashes = [sha256(photos[0]), None, "0" * 64, ""]
    form = {
        "images": [SimpleUploadedFile(f"{n}.jpg", data) for n, data in enumerate(photos)],
        "image_hashes": json.dumps(hashes),
    }
    response = client.post("/api/v1/classify/batch", form)
    body = response.json()

    assert response.status_code == 200
    assert (body["success"], body["total"], body["success_count"], body["fail_count"]) == (
        True,
        4,
        2,
        2,
    )
    assert [item["error_code"] for item in body["items"]] == [
        None,
        "invalid_image",
        "hash_mismatch",
        None,
    ]
    assert [item["filename"] for item in body["items"]] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert body["items"][0]["data"]["category"] == "pets"
    assert body["items"][0]["source"] == "llm"
    assert body["items"][1]["data"] is None
    assert isinstance(body["total_processing_time_ms"], int)
    assert set(body) >= {"request_id", "timestamp"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hashes", [[], ["{first}"], ["{first}", "", "{first}", "x", 3]])
def test_a_batch_takes_hashes_that_are_missing_or_too_many(
    client: Client, model: DashScopeServer, hashes: list[Any]
) -> None:
    photos = [photo(seed=1), photo(seed=2)]
    given = [sha256(photos[0]) if each == "{first}" else each for each in hashes]
    form = {
        "images": [SimpleUploadedFile(f"{n}.jpg", data) for n, data in enumerate(photos)],
        "image_hashes": json.dumps(given),
    }
    body = client.post("/api/v1/classify/batch", form).json()

    assert (body["total"], body["success_count"]) == (2, 2)
    assert [item["image_hash"] for item in body["items"]] == [sha256(data) for data in photos]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"images": []},
        {"image_hashes": "[]"},
        {"images": [SimpleUploadedFile("x", b"x")], "image_hashes": "{"},
        {"images": [SimpleUploadedFile("x", b"x")], "image_hashes": "{}"},
        {"images": [SimpleUploadedFile(str(n), b"x") for n in range(21)]},
    ],
)
def test_a_wrong_batch_is_refused(
    client: Client, model: DashScopeServer, form: dict[str, Any]
) -> None:
    response = client.post("/api/v1/classify/batch", form)

    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_request")


def test_a_prompt_that_another_host_has_published_is_asked_at_once(
    client: Client, model: DashScopeServer
) -> None:
    upload(client, photo(seed=1))
    text = "分类 json：" + DEFAULT_PROMPT
    # As another host does it: nothing in this process hears of it.
    PromptVersion.objects.bulk_create([PromptVersion(version=2, text=text, accepted_from=2)])
    upload(client, photo(seed=2))

    asked = json.dumps(model.requests[-1].body, ensure_ascii=False)
    assert "分类 json：" in asked
    assert CacheEntry.objects.get(image_hash=sha256(photo(seed=2))).prompt_version == 2
    assert is_known(client, photo(seed=2))
