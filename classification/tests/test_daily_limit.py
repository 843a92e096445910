"""DAILY_COST_LIMIT: never beyond it, and all of it can be used."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import requests
import time_machine
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from classification.billing import reservations
from classification.billing.prices import PriceTable
from classification.choices import DAILY_LIMIT, DEMO
from classification.models import ModelCall, RequestLog, Reservation, SpendingDay
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.prices import A_FEN_A_CALL
from tests.support.servers import ScratchDatabase, running_server
from tests.support.waiting import at_once, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

# A model that is in no table: a call costs a fen.
UNPRICED = "a-model"
AFTERNOON = "2026-11-25T15:00:00+08:00"
EVENING = "2026-11-25T23:50:00+08:00"
NEXT_DAY = "2026-11-26T00:00:05+08:00"


@pytest.fixture
def limit(settings: Settings, model: DashScopeServer) -> Settings:
    """Three calls of a fen each, in a day."""
    settings.DAILY_COST_LIMIT = Decimal("0.03")
    settings.LLM_PRICES = A_FEN_A_CALL
    return settings


def upload(client: Client, seed: int) -> Any:
    return client.post("/api/v1/classify", {"image": SimpleUploadedFile("p.jpg", photo(seed=seed))})


def amounts() -> list[tuple[int, int]]:
    """What is spent and reserved, in fen."""
    return [(row.spent // 10_000, row.reserved // 10_000) for row in SpendingDay.objects.all()]


@pytest.mark.timeout(180)
def test_fifty_photos_at_once_in_two_processes_spend_the_limit_and_no_more(
    database: ScratchDatabase,
) -> None:
    with DashScopeServer() as dashscope:
        dashscope.delay = 0.5
        with running_server(
            database, dashscope, DAILY_COST_LIMIT="0.2", LLM_MODEL=UNPRICED
        ) as server:
            uploads = [partial(server.upload, photo(seed=seed)) for seed in range(50)]
            first, second = at_once(uploads), at_once(uploads)
        calls = len(dashscope.requests)

    assert calls == 20
    assert [reply.status_code for reply in first].count(200) == 20
    refused = [reply for reply in first if reply.status_code != 200]
    assert {reply.json()["error_code"] for reply in refused} <= {"model_unavailable", "model_busy"}
    assert all(int(reply.headers["Retry-After"]) > 0 for reply in refused)
    # The known ones are served all the same.
    assert [reply.status_code for reply in second].count(200) == 20
    assert database.query("SELECT spent, reserved FROM spending_day") == [(200_000, 0)]
    assert float(database.value("SELECT SUM(cost) FROM model_call")) == pytest.approx(0.2)


@pytest.mark.timeout(180)
def test_a_killed_process_leaves_its_reservation(database: ScratchDatabase) -> None:
    """What becomes of it is the next test's."""
    with DashScopeServer() as dashscope:
        dashscope.script("hang")
        with (
            running_server(
                database, dashscope, DAILY_COST_LIMIT="0.2", LLM_MODEL=UNPRICED
            ) as server,
            ThreadPoolExecutor(1) as pool,
        ):
            lost = pool.submit(server.upload, photo())
            wait_until(lambda: len(dashscope.requests) == 1)
            server.kill()
            with pytest.raises(requests.ConnectionError):
                lost.result()

    assert database.query("SELECT spent, reserved FROM spending_day") == [(0, 10_000)]
    assert database.query("SELECT amount, model FROM spending_reservation") == [(10_000, UNPRICED)]


def test_an_orphan_is_settled_once(
    limit: Settings, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(AFTERNOON, tick=False):
        upload(client, 1)
        held = Reservation.objects.create(
            token="t", day="2026-11-25", amount=10_000, request_id="req_1", image_hash="a" * 64,
            model="qwen-vl-plus",
        )  # fmt: skip
        SpendingDay.objects.update(reserved=10_000)
        reservations.settle_orphans()
        assert amounts() == [(1, 1)]
        monkeypatch.setattr(reservations, "ORPHAN_SECONDS", 0)
        reservations.settle_orphans()
        reservations.settle_orphans()

    assert amounts() == [(2, 0)]
    call = ModelCall.objects.get(request_id=held.request_id)
    assert (call.billed, call.outcome, call.cost) == ("perhaps", "internal_error", Decimal("0.01"))


def test_the_limit_holds_until_midnight(limit: Settings, client: Client) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        statuses = [upload(client, seed).status_code for seed in range(5)]
        refused = upload(client, 5)
        clock.move_to(NEXT_DAY)
        tomorrow = upload(client, 5)

    assert statuses == [200, 200, 200, 503, 503]
    assert refused.json()["error_code"] == "model_unavailable"
    assert refused.headers["Retry-After"] == "601"
    assert tomorrow.status_code == 200
    assert amounts() == [(3, 0), (1, 0)]


def test_apps_are_told_to_come_back_within_the_hour(limit: Settings, client: Client) -> None:
    limit.DAILY_COST_LIMIT = Decimal("0")
    with time_machine.travel(AFTERNOON, tick=False):
        assert upload(client, 1).headers["Retry-After"] == "3600"


def test_beyond_the_limit_the_on_device_model_stands_in(
    limit: Settings, client: Client, model: DashScopeServer
) -> None:
    limit.DAILY_COST_LIMIT = Decimal("0.005")
    limit.ON_MODEL_FAILURE = "local"
    body = upload(client, 1).json()

    assert (body["source"], body["degraded"]) == ("local", True)
    assert not model.requests


@pytest.mark.parametrize(
    ("modes", "fen"),
    [
        (["ModelServingError", "ok"], 1),  # not billed, tried again
        (["no_verdict"], 1),
        (["close_before_answer"], 1),  # perhaps billed
        (["DataInspectionFailed"], 0),
        (["ModelNotFound"], 0),
    ],
)
def test_a_day_has_spent_what_its_ledger_says(
    limit: Settings, client: Client, model: DashScopeServer, modes: list[str], fen: int
) -> None:
    model.script(*modes)
    upload(client, 1)

    assert amounts() == [(fen, 0)]


def test_prices_by_tokens_leave_what_was_not_needed(limit: Settings, client: Client) -> None:
    limit.COST_PER_API_CALL = Decimal("0.001")
    prices = {UNPRICED: {"input": 0.8, "output": 2}}
    limit.LLM_MODEL = UNPRICED
    limit.LLM_PRICES = PriceTable.parse(
        prices, limit.COST_PER_API_CALL, "Asia/Shanghai", limit.MODEL_TABLE
    )
    replies = [upload(client, seed) for seed in range(50)]
    answered = [reply for reply in replies if reply.status_code == 200]
    [row] = SpendingDay.objects.all()

    assert len(answered) < len(replies)
    assert row.spent == len(answered) * 720  # 800 tokens in, 40 out
    assert 30_000 - 5_000 < row.spent <= 30_000


def test_trials_of_staff_are_counted(
    limit: Settings, admin_client: Client, model: DashScopeServer
) -> None:
    limit.DAILY_COST_LIMIT = Decimal("0.02")
    again = [
        admin_client.post(
            reverse("playground-again"), {"image": SimpleUploadedFile("p.jpg", photo(seed=seed))}
        )
        for seed in range(3)
    ]

    assert amounts() == [(2, 0)]
    assert len(model.requests) == 2
    assert "模型暂时不可用" in again[2].content.decode()


def test_what_was_spent_before_the_limit_was_set_counts(
    limit: Settings, client: Client, model: DashScopeServer
) -> None:
    limit.DAILY_COST_LIMIT = None
    with CaptureQueriesContext(connection) as captured:
        upload(client, 1)
    upload(client, 2)
    limit.DAILY_COST_LIMIT = Decimal("0.03")
    statuses = [upload(client, seed).status_code for seed in (3, 4)]

    assert not [query for query in captured if "spending" in query["sql"]]
    assert statuses == [200, 503]
    assert amounts() == [(3, 0)]


def test_what_was_spent_before_is_counted_to_the_millionth(limit: Settings, client: Client) -> None:
    """63 times 0.0012 is a little more in floating point, as SQLite adds up."""
    limit.DAILY_COST_LIMIT = Decimal(1)
    call = {"model": UNPRICED, "outcome": "ok", "billed": "yes", "duration_ms": 1}
    ModelCall.objects.bulk_create(
        ModelCall(**call, cost=Decimal("0.0012"), request_id="r", image_hash="a") for _ in range(63)
    )
    upload(client, seed=1)

    assert SpendingDay.objects.get().spent == 63 * 1_200 + 10_000


def test_staff_see_how_far_the_limit_is_used(
    limit: Settings, client: Client, admin_user: User
) -> None:
    client.force_login(admin_user)
    for seed in range(2):
        upload(client, seed)
    before = client.get("/").content.decode()
    upload(client, 2)
    after = client.get("/").content.decode()

    assert "¥0.0200 / ¥0.0300" in before
    assert "已达今日花费上限" not in before
    assert "¥0.0300 / ¥0.0300" in after
    assert "已达今日花费上限" in after


def test_made_up_calls_use_up_nothing(client: Client, limit: Settings) -> None:
    for number in range(5):
        ModelCall.objects.create(
            request_id=f"{DEMO}{number}",
            image_hash="0" * 64,
            model=UNPRICED,
            outcome="ok",
            billed="yes",
            cost=Decimal("0.01"),
            duration_ms=1,
        )

    assert upload(client, 1).status_code == 200
    assert amounts() == [(1, 0)]


def test_the_log_tells_the_limit_from_an_outage(
    client: Client, admin_client: Client, limit: Settings
) -> None:
    limit.DAILY_COST_LIMIT = Decimal("0.01")
    upload(client, 1)
    refused = upload(client, 2)

    assert (refused.status_code, refused.json()["error_code"]) == (503, "model_unavailable")
    assert RequestLog.objects.get(outcome="model_unavailable").reason == DAILY_LIMIT
    page = admin_client.get("/admin/classification/requestlog/").content.decode()
    assert "已达今日花费上限" in page
