"""A model reaches its last day: what is asked then, and who is told."""

import logging
from pathlib import Path

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from classification.models import CacheEntry, ModelCall
from classification.providers.model_table.reading import read_table
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db

LAST_SECOND = "2026-10-09T23:59:59+08:00"
FIRST_SECOND = "2026-10-10T00:00:00+08:00"


def upload(client: Client, seed: int) -> int:
    image = SimpleUploadedFile("p.jpg", photo(seed=seed))
    return client.post("/api/v1/classify", {"image": image}).status_code


def test_an_env_that_names_a_retired_model_is_answered_by_its_successor_in_one_call(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.LLM_MODEL = "qwen-vl-plus"

    assert upload(client, 1) == 200
    assert [request.body["model"] for request in model.requests] == ["qwen3-vl-plus"]
    assert CacheEntry.objects.get().model_used == "qwen3-vl-plus"
    call = ModelCall.objects.get()
    assert (call.provider, call.model) == ("aliyun", "qwen3-vl-plus")


def test_a_running_process_asks_the_successor_from_the_day_on_and_says_so(
    client: Client, model: DashScopeServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LLM_MODEL = "qwen-vl-plus"
    sentence = "qwen-vl-plus was retired on 2026-10-10; qwen3-vl-plus is used instead."
    with time_machine.travel(LAST_SECOND, tick=False) as clock, caplog.at_level(logging.WARNING):
        upload(client, 1)
        assert sentence not in caplog.text
        clock.move_to(FIRST_SECOND)
        upload(client, 2)
        upload(client, 3)

    assert [request.body["model"] for request in model.requests] == [
        "qwen-vl-plus",
        "qwen3-vl-plus",
        "qwen3-vl-plus",
    ]
    assert caplog.text.count(sentence) == 1


def test_a_cost_is_exact_where_tokens_and_price_are_known(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    upload(client, 1)
    settings.LLM_MODEL = "a-model-that-no-table-has"
    upload(client, 2)

    known, unknown = ModelCall.objects.order_by("pk")
    assert (str(known.cost), known.cost_is_exact) == ("0.001200", True)
    assert (str(unknown.cost), unknown.cost_is_exact) == ("0.010000", False)
    assert [entry.cost_is_exact for entry in CacheEntry.objects.order_by("pk")] == [True, False]


def test_throttling_is_explained_where_the_models_end_is_near(
    client: Client,
    model: DashScopeServer,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    file = tmp_path / "models.toml"
    file.write_text('["qwen3-vl-plus"]\nretired = 2027-03-01\nannounced = 2026-12-01')
    settings.MODEL_TABLE = read_table(file)
    settings.LLM_TIMEOUT = 4
    model.script("Throttling")
    with time_machine.travel("2027-02-27T12:00:00+08:00"):
        assert upload(client, 1) == 503

    assert (
        "HTTP 429 Throttling; qwen3-vl-plus will be retired on 2027-03-01, and its limits shrink "
        "until then" in caplog.text
    )


@pytest.mark.parametrize(("status", "code"), [(400, "InvalidParameter"), (404, "ModelNotFound")])
def test_a_model_that_is_gone_before_the_table_knows_is_followed_by_its_successor(
    client: Client, model: DashScopeServer, status: int, code: str
) -> None:
    model.error = (status, code, "Model not exist.")
    model.script("error", "ok")

    assert upload(client, 1) == upload(client, 2) == 200
    assert [request.body["model"] for request in model.requests] == [
        "qwen3-vl-plus",
        "qwen3.6-plus",
        "qwen3.6-plus",
    ]
    assert model.requests[1].body["parameters"]["enable_thinking"] is False
    costs = [str(call.cost) for call in ModelCall.objects.order_by("pk")]
    assert costs == ["0.000000", "0.002080", "0.002080"]
