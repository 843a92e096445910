from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from classification.tests.dashscope_server import DashScopeServer
from classification.tests.pictures import photo

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
