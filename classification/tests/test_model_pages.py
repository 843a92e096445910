"""Staff see which model and provider answered, what it cost, and whether that is exact."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from classification.default_prompt import DEFAULT_PROMPT
from classification.models import CacheEntry, ModelCall
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db

UNPRICED = "a-model-that-no-table-has"


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def upload(client: Client) -> str:
    """A photo's way through the API; the id of its request."""
    image = SimpleUploadedFile("p.jpg", photo())
    request_id: str = client.post("/api/v1/classify", {"image": image}).json()["request_id"]
    return request_id


def test_the_settings_page_has_the_models_that_are_asked(
    admin_client: Client, settings: Settings, model: DashScopeServer
) -> None:
    settings.LLM_MODEL = "qwen-vl-plus"
    settings.LLM_FALLBACK_PROVIDER = "openai"
    settings.LLM_FALLBACK_MODEL = UNPRICED
    page = text_of(admin_client.get(reverse("settings")))

    assert "qwen-vl-plus 已于 2026-10-10 下线，现改用 qwen3-vl-plus" in page
    assert "1 / 0.2 / 10" in page
    assert "核对于 2026-11-27" in page
    assert page.index("qwen3-vl-plus <div") < page.index(f"{UNPRICED} <div")
    assert "OpenAI 兼容接口 · 首选服务商不可用时使用" in page
    assert "按 COST_PER_API_CALL 估算" in page


@pytest.mark.parametrize(
    ("name", "shown"),
    [("qwen3-vl-plus", "¥0.0012 <span class=\"quiet\">（精确）</span>"),
     (UNPRICED, "¥0.0100 <span class=\"quiet\">（估算）</span>")],
)  # fmt: skip
def test_each_page_says_who_answered_and_whether_the_cost_is_exact(
    admin_client: Client, settings: Settings, model: DashScopeServer, name: str, shown: str
) -> None:
    settings.LLM_MODEL = name
    request_id = upload(admin_client)
    form = {"image": SimpleUploadedFile("p.jpg", photo(seed=1)), "text": DEFAULT_PROMPT}
    details = admin_client.get(reverse("playground-answer"), {"request": request_id})
    again = admin_client.post(reverse("playground-again"), form)
    form = {"image": SimpleUploadedFile("p.jpg", photo(seed=1)), "text": DEFAULT_PROMPT}
    trial = admin_client.post(reverse("prompt-trial"), form)
    dashboard = admin_client.get("/")
    ledger = admin_client.get(reverse("admin:classification_modelcall_changelist"))

    for page in map(text_of, (details, again, trial, dashboard)):
        assert name in page
        assert "阿里云百炼" in page
        assert shown in page
    assert 'provider_name">阿里云百炼<' in text_of(ledger)


def test_what_was_answered_before_is_called_neither(admin_client: Client) -> None:
    CacheEntry.objects.create(
        image_hash="a" * 64, category="pets", confidence=1, input_tokens=800, output_tokens=40,
        cost=Decimal("0.01"),
    )  # fmt: skip
    page = text_of(admin_client.get(reverse("playground-answer"), {"hash": "a" * 64}))

    assert "¥0.0100" in page
    assert "精确" not in page
    assert "估算" not in page


def test_the_dashboard_says_how_much_of_todays_cost_is_estimated(
    admin_client: Client, settings: Settings, model: DashScopeServer
) -> None:
    upload(admin_client)
    assert "为估算" not in text_of(admin_client.get("/"))
    ModelCall.objects.create(
        request_id="r", model="m", outcome="ok", billed="yes", cost=Decimal("0.01"),
        cost_is_exact=False, duration_ms=1,
    )  # fmt: skip
    page = text_of(admin_client.get("/"))

    assert "¥0.0112" in page
    assert "其中 ¥0.0100 为估算" in page
