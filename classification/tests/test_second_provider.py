"""LLM_FALLBACK_PROVIDER: a second model, asked in the same request when the first cannot answer."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import requests
from django.test import Client
from pytest_django import Settings

from classification.models import CacheEntry, ModelCall, RequestLog, Reservation, SpendingDay
from classification.pipeline.write_behind import buffer
from classification.providers import registry
from tests.support.api import is_known, upload
from tests.support.dashscope_server import DashScopeServer
from tests.support.openai_server import OpenAIServer
from tests.support.pictures import photo
from tests.support.prices import A_FEN_A_CALL
from tests.support.servers import ScratchDatabase, running_server
from tests.support.waiting import at_once, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def second(model: DashScopeServer, settings: Settings) -> Iterator[OpenAIServer]:
    """A server of our own, asked when DashScope cannot answer."""
    with OpenAIServer() as server:
        server.category = "foods"
        settings.LLM_FALLBACK_PROVIDER = "openai"
        settings.LLM_FALLBACK_BASE_URL = server.base_url
        settings.LLM_FALLBACK_MODEL = "a-vision-model"
        settings.LLM_TIMEOUT = 20
        yield server


def ledger() -> list[tuple[str, str, str]]:
    """Provider, outcome and billing of each call."""
    buffer.flush()
    rows = ModelCall.objects.order_by("pk")
    return [(row.provider, row.outcome, row.billed) for row in rows]


def test_while_the_first_answers_the_second_is_not_asked(
    client: Client, model: DashScopeServer, second: OpenAIServer
) -> None:
    assert upload(client, photo()).json()["data"]["category"] == "pets"
    assert not second.requests


@pytest.mark.parametrize(
    ("mode", "outcome", "billed"),
    [
        ("InvalidApiKey", "model_not_configured", "no"),
        ("ModelNotFound", "model_not_configured", "no"),
        ("no_verdict", "model_bad_reply", "yes"),
        ("close_before_answer", "model_unavailable", "perhaps"),
        ("hang", "model_timeout", "perhaps"),
    ],
)
def test_what_the_first_cannot_answer_the_second_does_in_the_same_request(
    client: Client,
    model: DashScopeServer,
    second: OpenAIServer,
    settings: Settings,
    mode: str,
    outcome: str,
    billed: str,
) -> None:
    settings.LLM_TIMEOUT = 3 if mode == "hang" else 20
    model.script(mode)
    started = time.monotonic()
    answer = upload(client, photo()).json()

    assert time.monotonic() - started < settings.LLM_TIMEOUT + 20
    assert (answer["data"]["category"], answer["source"]) == ("foods", "llm")
    assert "degraded" not in answer
    assert set(ledger()) == {("aliyun", outcome, billed), ("openai", "ok", "yes")}
    # A real answer, kept for everybody under its model's name.
    entry = CacheEntry.objects.get()
    assert (entry.provider, entry.model_used) == ("openai", "a-vision-model")
    assert is_known(client, photo())
    assert not Reservation.objects.exists()


def test_what_a_request_costs_is_what_both_have_billed(
    client: Client, model: DashScopeServer, second: OpenAIServer, settings: Settings
) -> None:
    settings.LLM_PRICES = A_FEN_A_CALL
    model.script("no_verdict")
    upload(client, photo())
    buffer.flush()

    assert RequestLog.objects.get().cost == Decimal("0.02")
    assert sum(call.cost for call in ModelCall.objects.all()) == Decimal("0.02")


def test_a_photo_that_the_first_refuses_is_not_shown_to_the_second(
    client: Client, model: DashScopeServer, second: OpenAIServer
) -> None:
    model.script("DataInspectionFailed")
    response = upload(client, photo())

    assert (response.status_code, response.json()["error_code"]) == (422, "image_rejected")
    assert not second.requests


def test_when_neither_answers_the_settings_say_what_stands_in(
    client: Client, model: DashScopeServer, second: OpenAIServer, settings: Settings
) -> None:
    model.script("InvalidApiKey")
    second.script("server_error")
    assert upload(client, photo(seed=1)).json()["error_code"] == "model_unavailable"
    settings.ON_MODEL_FAILURE = "local"
    answer = upload(client, photo(seed=2)).json()

    assert (answer["source"], answer["degraded"]) == ("local", True)


def test_each_has_a_breaker_of_its_own(
    client: Client, model: DashScopeServer, second: OpenAIServer
) -> None:
    model.script("InvalidApiKey")
    for seed in range(3):
        assert upload(client, photo(seed=seed)).status_code == 200
    first_provider, second_provider = registry.providers()

    assert len(model.requests) == 1
    assert len(second.requests) == 3
    assert first_provider.status.state == "failing"
    assert second_provider.status.state == "available"
    assert client.get("/api/v1/health").json()["model_api"] == "available"


def test_the_daily_limit_counts_both_and_stops_exactly_there(
    client: Client, model: DashScopeServer, second: OpenAIServer, settings: Settings
) -> None:
    settings.LLM_PRICES = A_FEN_A_CALL
    settings.DAILY_COST_LIMIT = Decimal("0.03")
    model.script("no_verdict", "ok")
    codes = [upload(client, photo(seed=seed)).status_code for seed in range(4)]
    buffer.flush()

    # The first photo costs two calls, the second one; then the limit is reached.
    assert codes == [200, 200, 503, 503]
    day = SpendingDay.objects.get()
    assert (day.spent, day.reserved) == (30_000, 0)
    assert sum(call.cost for call in ModelCall.objects.all()) == Decimal("0.03")


def both(second: OpenAIServer) -> dict[str, str]:
    """The settings of a server that asks both."""
    return {
        "LLM_FALLBACK_PROVIDER": "openai",
        "LLM_FALLBACK_BASE_URL": second.base_url,
        "LLM_FALLBACK_MODEL": "a-vision-model",
    }


@pytest.mark.timeout(180)
def test_fifty_uploads_of_one_new_photo_make_one_call_to_each(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.script("no_verdict")
    with OpenAIServer() as second:
        second.delay = 1.0
        with running_server(database, dashscope, **both(second)) as server:
            replies = at_once([lambda: server.upload(photo())] * 50)
        asked = len(dashscope.requests), len(second.requests)

    assert [reply.status_code for reply in replies] == [200] * 50
    assert asked == (1, 1)
    assert database.query("SELECT provider, billed FROM model_call ORDER BY id") == [
        ("aliyun", "yes"),
        ("openai", "yes"),
    ]


@pytest.mark.timeout(180)
def test_a_kill_while_the_second_is_asked_loses_neither_call(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.script("no_verdict")
    with OpenAIServer() as second:
        second.script("hang")
        variables = both(second) | {"DAILY_COST_LIMIT": "1", "WEB_WORKERS": "1"}
        with (
            running_server(database, dashscope, **variables) as server,
            ThreadPoolExecutor(1) as pool,
        ):
            lost = pool.submit(server.upload, photo())
            wait_until(lambda: len(second.requests) == 1)
            server.kill()
            with pytest.raises(requests.ConnectionError):
                lost.result()

    assert database.query("SELECT provider, billed FROM model_call") == [("aliyun", "yes")]
    [(amount, model)] = database.query("SELECT amount, model FROM spending_reservation")
    [(spent, reserved)] = database.query("SELECT spent, reserved FROM spending_day")
    assert model == "a-vision-model"
    assert reserved == amount > 0
    assert spent > 0
