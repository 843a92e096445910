"""Apps' limits of new photos and of yuan: never beyond them, and all of them can be used."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import requests
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from classification.billing import reservations
from classification.models import ModelCall, RequestLog, Reservation
from classification.pipeline import model_call
from classification.pipeline.write_behind import buffer
from clients import quotas
from clients.models import App, QuotaCounter, QuotaReservation
from tests.support.apps import bearer, make_app, run
from tests.support.dashscope_server import DashScopeServer
from tests.support.openai_server import OpenAIServer
from tests.support.pictures import photo
from tests.support.servers import (
    RunningServer,
    ScratchDatabase,
    manage,
    running_server,
)
from tests.support.waiting import at_once, wait_until

UNPRICED = "a-model-of-another-name"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

EVENING = "2026-11-25T23:50:00+08:00"
NEXT_DAY = "2026-11-26T00:00:05+08:00"


@pytest.fixture(autouse=True)
def unpriced(settings: Settings) -> None:
    """A fen a call: COST_PER_API_CALL."""
    settings.LLM_MODEL = UNPRICED


def new_app(database: ScratchDatabase, *limits: str) -> str:
    key: str = json.loads(manage(database, "create_app", "camera", "--json", *limits))["key"]
    return key


def uploads(servers: list[RunningServer], key: str, count: int) -> list[requests.Response]:
    """So many new photos at once, spread over the servers."""
    return at_once(
        [
            partial(servers[seed % len(servers)].upload, photo(seed=seed), headers=bearer(key))
            for seed in range(count)
        ]
    )


def counters(database: ScratchDatabase) -> list[tuple[Any, ...]]:
    return database.query("SELECT new_photos, spent, reserved FROM client_quota_counter")


def assert_five_of(replies: list[requests.Response]) -> None:
    refused = [reply for reply in replies if reply.status_code != 200]
    assert len(replies) - len(refused) == 5
    assert {(reply.status_code, reply.json()["error_code"]) for reply in refused} == {
        (429, "quota_exceeded")
    }
    assert all(int(reply.headers["Retry-After"]) > 0 for reply in refused)


def test_of_many_photos_at_once_two_hosts_take_as_many_as_are_left(
    database: ScratchDatabase,
) -> None:
    key = new_app(database, "--new-photos-per-day", "5")
    with DashScopeServer() as dashscope:
        dashscope.delay = 0.5
        with (
            running_server(database, dashscope, LLM_MODEL=UNPRICED) as one,
            running_server(database, dashscope, LLM_MODEL=UNPRICED) as two,
        ):
            first, second = uploads([one, two], key, 24), uploads([one, two], key, 24)
        calls = len(dashscope.requests)

    assert calls == 5
    assert_five_of(first)
    assert_five_of(second)  # known by now, and free
    assert counters(database) == [(5, 50_000, 0)]


def test_of_many_photos_at_once_as_many_are_asked_about_as_there_is_money(
    database: ScratchDatabase,
) -> None:
    key = new_app(database, "--cost-per-day", "0.05")
    with DashScopeServer() as dashscope:
        dashscope.delay = 0.5
        with running_server(database, dashscope, LLM_MODEL=UNPRICED) as server:
            replies = uploads([server], key, 24)
        calls = len(dashscope.requests)

    assert calls == 5
    assert_five_of(replies)
    assert counters(database) == [(5, 50_000, 0)]


def test_a_killed_process_leaves_what_the_next_sweep_gives_back(database: ScratchDatabase) -> None:
    key = new_app(database, "--new-photos-per-day", "5", "--cost-per-day", "1")
    with DashScopeServer() as dashscope:
        dashscope.script("hang")
        with (
            running_server(database, dashscope, LLM_MODEL=UNPRICED) as server,
            ThreadPoolExecutor(1) as pool,
        ):
            lost = pool.submit(server.upload, photo(), headers=bearer(key))
            wait_until(lambda: len(dashscope.requests) == 1)
            server.kill()
            with pytest.raises(requests.ConnectionError):
                lost.result()

    assert counters(database) == [(1, 0, 10_000)]
    assert database.value("SELECT COUNT(*) FROM client_quota_reservation") == 1


# --- In one process -----------------------------------------------------------------------


def upload(client: Client, key: str, seed: int = 1, **headers: str) -> Any:
    image = SimpleUploadedFile("p.jpg", photo(seed=seed))
    return client.post("/api/v1/classify", {"image": image}, headers=bearer(key) | headers)


def used() -> list[tuple[int, int, int]]:
    """New photos, and the fen spent and reserved, of each counter."""
    rows = QuotaCounter.objects.order_by("pk")
    return [(row.new_photos, row.spent // 10_000, row.reserved // 10_000) for row in rows]


def test_orphans_are_given_back_once_and_their_calls_counted(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(client, make_app("camera", "--new-photos-per-day", "5"))
    counter = QuotaCounter.objects.get()
    QuotaReservation.objects.create(token="t", counter=counter, amount=20_000)
    QuotaCounter.objects.update(new_photos=2, reserved=20_000)
    Reservation.objects.create(
        token="c", day=counter.day, amount=0, request_id="req_1", image_hash="a" * 64,
        model=UNPRICED, app_id=counter.app_id, counter=counter,
    )  # fmt: skip
    reservations.settle_orphans()
    assert used() == [(2, 1, 2)]
    monkeypatch.setattr(reservations, "ORPHAN_SECONDS", 0)
    reservations.settle_orphans()
    reservations.settle_orphans()

    assert used() == [(1, 2, 0)]


@pytest.mark.parametrize("releases_quota", [True, False])
@pytest.mark.parametrize("modes", [["ok"], ["no_verdict"], ["DataInspectionFailed"]])
def test_a_process_that_comes_back_during_the_sweep_for_orphans_is_charged_once(
    client: Client,
    model: DashScopeServer,
    monkeypatch: pytest.MonkeyPatch,
    modes: list[str],
    releases_quota: bool,
) -> None:
    """Stopped after the model answered; while it writes, its call is in the ledger as possibly
    billed, and the quota is released, or is about to be."""
    key = make_app("camera", "--new-photos-per-day", "5", "--cost-per-day", "1")
    model.script(*modes)

    def ask_and_be_stopped(*args: Any) -> Any:
        reply = model_call.ask_model(*args)
        with monkeypatch.context() as patch:
            patch.setattr(reservations, "ORPHAN_SECONDS", 0)
            if not releases_quota:
                patch.setattr(quotas, "release_orphans", lambda _: None)
            reservations.settle_orphans()
        return reply

    with monkeypatch.context() as patch:
        patch.setattr("classification.pipeline.classify.ask_model", ask_and_be_stopped)
        upload(client, key)
    buffer.flush()

    assert used() == [(int(modes == ["ok"]), 1, 0)]
    assert ModelCall.objects.exclude(billed="no").get().cost == Decimal("0.01")
    assert not QuotaReservation.objects.exists()


def test_the_call_of_a_first_provider_counts_although_the_process_ends_with_the_second(
    client: Client, model: DashScopeServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_app("camera", "--cost-per-day", "1")
    settings.LLM_FALLBACK_PROVIDER = "openai"
    settings.LLM_FALLBACK_MODEL = UNPRICED
    settings.LLM_FALLBACK_API_KEY = "key"
    model.script("no_verdict")

    def die(*_: Any) -> None:
        raise SystemExit

    with OpenAIServer() as second, monkeypatch.context() as patch:
        settings.LLM_FALLBACK_BASE_URL = second.base_url
        patch.setattr("classification.pipeline.write_behind.WriteBehindBuffer.store", die)
        with pytest.raises(SystemExit):
            upload(client, key)
    monkeypatch.setattr(reservations, "ORPHAN_SECONDS", 0)
    reservations.settle_orphans()

    assert used() == [(0, 2, 0)]
    assert [call.billed for call in ModelCall.objects.order_by("pk")] == ["yes", "perhaps"]


def test_a_limit_holds_until_midnight(client: Client, model: DashScopeServer) -> None:
    key = make_app("camera", "--new-photos-per-day", "2")
    with time_machine.travel(EVENING, tick=False) as clock:
        statuses = [upload(client, key, seed).status_code for seed in range(4)]
        refused = upload(client, key, 4)
        clock.move_to(NEXT_DAY)
        tomorrow = upload(client, key, 4)

    assert statuses == [200, 200, 429, 429]
    assert refused.json()["error_code"] == "quota_exceeded"
    assert refused["Retry-After"] == "601"
    assert tomorrow.status_code == 200
    assert len(model.requests) == 3


@pytest.mark.parametrize(
    ("modes", "kept"),
    [
        (["ok"], (1, 1, 0)),
        (["no_verdict"], (0, 1, 0)),  # billed, but no answer
        (["close_before_answer"], (0, 1, 0)),  # possibly billed
        (["DataInspectionFailed"], (0, 0, 0)),
        (["ModelNotFound"], (0, 0, 0)),
    ],
)
def test_a_photo_without_an_answer_is_free(
    client: Client, model: DashScopeServer, modes: list[str], kept: tuple[int, int, int]
) -> None:
    key = make_app("camera", "--new-photos-per-day", "5")
    model.script(*modes)
    upload(client, key)

    assert used() == [kept]
    assert not QuotaReservation.objects.exists()


def test_a_stand_in_is_no_answer(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.ON_MODEL_FAILURE = "other"
    key = make_app("camera", "--new-photos-per-day", "5")
    model.script("ModelNotFound")

    assert upload(client, key).json()["source"] == "none"
    assert used() == [(0, 0, 0)]


def test_an_unusable_upload_and_a_hit_are_free(client: Client, model: DashScopeServer) -> None:
    upload(client, make_app("other"))
    key = make_app("camera", "--new-photos-per-day", "0")
    hit = upload(client, key)
    broken = client.post(
        "/api/v1/classify", {"image": SimpleUploadedFile("p.jpg", b"x")}, headers=bearer(key)
    )

    assert (hit.status_code, hit.json()["from_cache"]) == (200, True)
    assert broken.status_code == 400
    assert not QuotaCounter.objects.exists()


def test_each_user_has_a_limit_of_their_own(client: Client, model: DashScopeServer) -> None:
    key = make_app("camera", "--user-new-photos-per-day", "1")
    statuses = [
        upload(client, key, seed, **{"X-User-ID": user}).status_code
        for seed, user in enumerate(["anna", "anna", "Anna", "ben"])
    ]

    assert statuses == [200, 429, 200, 200]
    assert not QuotaCounter.objects.filter(subject__contains="anna").exists()


def test_an_address_has_a_limit_where_there_is_no_user(
    client: Client, model: DashScopeServer
) -> None:
    run("create_app", "anonymous", "--address-new-photos-per-day", "1")
    images = [SimpleUploadedFile("p.jpg", photo(seed=seed)) for seed in range(4)]
    asked = [
        client.post("/api/v1/classify", {"image": image} | user, REMOTE_ADDR=address).status_code
        for image, user, address in zip(
            images,
            [{}, {}, {}, {"user_id": "anna"}],
            ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.1"],
            strict=True,
        )
    ]

    assert asked == [200, 429, 200, 200]


def test_a_household_is_one_address_and_the_log_keeps_each(
    client: Client, model: DashScopeServer
) -> None:
    run("create_app", "anonymous", "--address-new-photos-per-day", "1")
    addresses = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "::ffff:192.0.2.1", "192.0.2.1"]
    addresses.append("::ffff:192.0.2.2")
    asked = [
        client.post(
            "/api/v1/classify",
            {"image": SimpleUploadedFile("p.jpg", photo(seed=seed))},
            REMOTE_ADDR=address,
        ).status_code
        for seed, address in enumerate(addresses)
    ]
    buffer.flush()

    assert asked == [200, 429, 200, 200, 429, 200]
    assert set(RequestLog.objects.values_list("ip_address", flat=True)) == set(addresses)


def test_a_users_refusal_leaves_the_apps_photos_alone(
    client: Client, model: DashScopeServer
) -> None:
    key = make_app("camera", "--new-photos-per-day", "5", "--user-new-photos-per-day", "1")
    for seed in range(3):
        upload(client, key, seed, **{"X-User-ID": "anna"})

    assert used() == [(1, 1, 0), (1, 0, 0)]


def test_in_a_batch_the_limit_hits_photo_by_photo(client: Client, model: DashScopeServer) -> None:
    key = make_app("camera", "--new-photos-per-day", "2")
    images = [SimpleUploadedFile("p.jpg", photo(seed=seed)) for seed in range(5)]
    answer = client.post("/api/v1/classify/batch", {"images": images}, headers=bearer(key))
    body = answer.json()

    assert (answer.status_code, body["success_count"], body["fail_count"]) == (200, 2, 3)
    codes = [item["error_code"] for item in body["items"] if not item["success"]]
    assert codes == ["quota_exceeded"] * 3
    assert len(model.requests) == 2


def test_one_apps_limit_is_no_other_apps_who_sends_the_same_photo(
    client: Client, model: DashScopeServer
) -> None:
    spent, free = make_app("spent", "--new-photos-per-day", "0"), make_app("free")
    replies = at_once([partial(upload, Client(), [spent, free][n % 2], 1) for n in range(8)])
    statuses = [reply.status_code for reply in replies]

    assert statuses[1::2] == [200] * 4
    assert set(statuses[::2]) <= {200, 429}
    assert len(model.requests) == 1


def test_nothing_is_asked_of_the_tables_for_an_app_without_limits(
    client: Client, model: DashScopeServer
) -> None:
    key = make_app("camera")
    upload(client, key, 1)
    with CaptureQueriesContext(connection) as captured:
        upload(client, key, 2)

    assert not [query for query in captured if "client_quota" in query["sql"]]


def test_what_was_used_before_the_limit_was_set_counts(
    client: Client, model: DashScopeServer
) -> None:
    key = make_app("camera")
    for seed in range(2):
        upload(client, key, seed)
    run("create_app", "camera", "--new-photos-per-day", "3")
    statuses = [upload(client, key, seed).status_code for seed in (3, 4)]

    assert statuses == [200, 429]
    assert used() == [(3, 3, 0)]


def test_what_failed_calls_cost_before_the_limit_was_set_counts(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.ON_MODEL_FAILURE = "error"
    key = make_app("camera")
    model.script("no_verdict", "close_before_answer", "ok")  # billed, and possibly billed
    failed = [upload(client, key, seed).status_code for seed in (1, 2)]
    before = client.get("/api/v1/usage", headers=bearer(key)).json()["data"]
    run("create_app", "camera", "--cost-per-day", "0.03")
    statuses = [upload(client, key, seed).status_code for seed in (3, 4)]

    assert all(status >= 500 for status in failed)
    assert before["cost"] == {"used": 0.02, "limit": None}
    assert statuses == [200, 429]
    assert used() == [(1, 3, 0)]


def test_requests_a_minute_are_counted_on_every_way(client: Client, model: DashScopeServer) -> None:
    key = make_app("camera", "--requests-per-minute", "3")
    with time_machine.travel("2026-11-25T15:00:20+08:00", tick=False) as clock:
        replies = [upload(client, key, 1) for _ in range(4)]
        clock.shift(40)
        later = upload(client, key, 1)

    assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
    assert replies[3].json()["error_code"] == "throttled"
    assert replies[3]["Retry-After"] == "40"
    assert later.status_code == 200


def test_answers_tell_the_limits_and_what_is_left(client: Client, model: DashScopeServer) -> None:
    key = make_app(
        "camera", "--new-photos-per-day", "5", "--requests-per-minute", "9", "--cost-per-day", "1"
    )
    with time_machine.travel(EVENING, tick=False):
        answer = upload(client, key)
        usage = client.get("/api/v1/usage", headers=bearer(key)).json()["data"]

    assert answer["RateLimit-Policy"] == (
        '"new-photos";q=5;w=86400, "cost-fen";q=100;w=86400, "requests";q=9;w=60'
    )
    assert answer["RateLimit"] == (
        '"new-photos";r=4;t=601, "cost-fen";r=99;t=601, "requests";r=8;t=60'
    )
    assert usage == {
        "app": "camera",
        "user_id": None,
        "day": "2026-11-25",
        "new_photos": {"used": 1, "limit": 5},
        "cost": {"used": 0.01, "limit": 1.0},
        "user_new_photos": {"used": 0, "limit": None},
    }


def test_usage_without_limits_is_read_from_the_log(client: Client, model: DashScopeServer) -> None:
    key = make_app("camera")
    answer = upload(client, key)
    usage = client.get("/api/v1/usage", headers=bearer(key) | {"X-User-ID": "anna"}).json()["data"]

    assert "RateLimit" not in answer
    assert usage["new_photos"] == {"used": 1, "limit": None}
    assert usage["cost"] == {"used": 0.01, "limit": None}
    assert usage["user_id"] == "anna"
    assert client.get("/api/v1/usage").status_code == 401


def test_a_refusal_is_in_the_log_with_its_app(client: Client, model: DashScopeServer) -> None:
    key = make_app("camera", "--new-photos-per-day", "0")
    upload(client, key)
    buffer.flush()
    row = RequestLog.objects.get()

    assert (row.outcome, row.cost) == ("quota_exceeded", Decimal(0))
    assert row.app_id == App.objects.get(name="camera").pk
