from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from classification.pipeline.write_behind import buffer
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db(transaction=True)


def state(client: Client) -> tuple[int, Any]:
    response = client.get("/api/v1/health")
    body = response.json()
    assert body["request_id"] == response["X-Request-ID"]
    return response.status_code, body


def test_a_service_on_the_on_device_model_is_healthy(client: Client, settings: Settings) -> None:
    settings.LLM_PROVIDER = "local"
    status, body = state(client)

    assert (status, body["status"]) == (200, "healthy")
    assert (body["database"], body["model_api"]) == ("connected", "available")
    assert body["timestamp"]
    assert (body["log_rows_waiting"], body["log_rows_dropped"]) == (0, 0)


def test_health_never_calls_the_model(client: Client, model: DashScopeServer) -> None:
    assert state(client)[1]["model_api"] == "available"
    assert not model.requests


def test_without_a_key_the_service_is_not_healthy(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.LLM_API_KEY = ""
    status, body = state(client)

    assert (status, body["status"], body["model_api"]) == (503, "unhealthy", "not_configured")


def test_a_refused_key_is_failing(client: Client, model: DashScopeServer) -> None:
    model.script("InvalidApiKey")
    client.post("/api/v1/classify", {"image": SimpleUploadedFile("p.jpg", photo())})
    status, body = state(client)

    assert (status, body["model_api"]) == (503, "failing")


@pytest.mark.parametrize("with_fallback_answer", ["local", "other"])
def test_apps_go_on_while_something_stands_in(
    client: Client, model: DashScopeServer, settings: Settings, with_fallback_answer: str
) -> None:
    settings.ON_MODEL_FAILURE = with_fallback_answer
    before = state(client)[1]
    model.script("InvalidApiKey")
    client.post("/api/v1/classify", {"image": SimpleUploadedFile("p.jpg", photo())})
    status, body = state(client)

    assert (before["degraded"], body["degraded"]) == (False, True)
    assert (status, body["status"], body["model_api"]) == (200, "healthy", "available")


def test_rows_that_wait_long_degrade_the_service(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LLM_PROVIDER = "local"
    monkeypatch.setattr("classification.pipeline.write_behind.BEHIND_SECONDS", -1)
    client.post("/api/v1/classify", {"image": SimpleUploadedFile("p.jpg", b"no photo")})
    with monkeypatch.context() as patch:
        patch.setattr("classification.pipeline.write_behind.Batch.write", disk_is_full)
        buffer.try_flush()
    behind = state(client)[1]
    buffer.try_flush()
    caught_up = state(client)[1]

    assert (behind["degraded"], behind["log_rows_waiting"]) == (True, 1)
    assert (caught_up["degraded"], caught_up["log_rows_waiting"]) == (False, 0)


def disk_is_full(*_: Any) -> None:
    raise OperationalError(1114, "The table 'request_log' is full")
