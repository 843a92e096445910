import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from classification.default_prompt import DEFAULT_PROMPT
from classification.models import CacheEntry, PromptVersion
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db

PAGES = ["dashboard", "playground", "playground-answer", "prompt", "settings"]
ACTIONS = [
    "playground-again",
    "playground-keep",
    "prompt-draft",
    "prompt-discard",
    "prompt-trial",
    "prompt-publish",
]
DRAFT = DEFAULT_PROMPT.replace("请看", "请仔细看")


def publish(client: Client, text: str = DRAFT, *, follow: bool = False, **fields: Any) -> Any:
    form = {"text": text, "based_on": 1, "older": "keep"} | fields
    return client.post(reverse("prompt-publish"), form, follow=follow)


def write_draft(client: Client) -> str:
    return client.post(reverse("prompt-draft"), {"text": DRAFT}, follow=True).content.decode()


@pytest.mark.parametrize("name", PAGES + ACTIONS)
def test_pages_are_for_staff_only(client: Client, django_user_model: type[User], name: str) -> None:
    method = client.post if name in ACTIONS else client.get
    assert method(reverse(name)).headers["Location"].startswith("/admin/login/")
    client.force_login(django_user_model.objects.create_user("somebody"))

    assert method(reverse(name)).headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("name", ACTIONS)
def test_actions_need_a_token_against_forgery(admin_user: User, name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)

    assert client.post(reverse(name)).status_code == 403


@pytest.mark.parametrize("address", ["/", "/settings/", "/admin/", "/docs", "/redoc"])
def test_pages_name_no_other_host(admin_client: Client, address: str) -> None:
    response = admin_client.get(address)
    text = response.content.decode()

    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert re.findall(r'(?:src|href)="(?:https?:)?//(?!testserver)', text) == []


@pytest.mark.parametrize("name", ["playground-answer", "prompt-trial", "dashboard"])
def test_a_part_of_a_page_is_no_login(client: Client, name: str) -> None:
    response = client.get(reverse(name), headers={"HX-Request": "true"})

    assert (response.status_code, response.headers["HX-Refresh"]) == (401, "true")


def test_the_language_is_chinese_whatever_the_browser_asks_for(admin_client: Client) -> None:
    response = admin_client.get("/settings/", headers={"accept-language": "en"})

    assert "八个类别" in response.content.decode()


def test_secrets_are_shown_by_their_last_four_characters(
    admin_client: Client, settings: Settings
) -> None:
    settings.LLM_API_KEY = "sk-0123456789abcdef"
    settings.DATABASE_URL = "mysql://root:hunter2@db:3306/photos"
    settings.CACHE_URL = "redis://:hunter2@cache:6379/0"
    text = admin_client.get("/settings/").content.decode()

    assert "末四位 cdef" in text
    assert "mysql://db:3306/photos" in text
    for secret in ("hunter2", "0123456789", settings.SECRET_KEY):
        assert secret not in text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LLM_PROVIDER", "aliyun", "阿里云百炼"),
        ("LLM_FALLBACK_PROVIDER", "openai", "OpenAI 兼容接口"),
        ("ON_MODEL_FAILURE", "other", "归为“其它”"),
        ("IP_ADDRESSES", "truncate", "只留网段"),
        ("LOG_FORMAT", "json", "每行一个 JSON"),
        ("LANGUAGE_CODE", "zh-hans", "中文"),
    ],
)
def test_settings_are_said_in_words_beside_what_is_written(
    admin_client: Client, settings: Settings, name: str, value: str, words: str
) -> None:
    setattr(settings, name, value)
    text = " ".join(admin_client.get("/settings/").content.decode().split())

    assert f"{words} <code>{value}</code>" in text


def test_a_model_that_is_never_asked_is_not_shown_as_in_use(
    admin_client: Client, settings: Settings
) -> None:
    settings.LLM_MODEL = "qwen3-vl-plus"
    shown = "未使用 <code>qwen3-vl-plus</code>"
    for provider, is_unused in (("aliyun", False), ("local", True)):
        settings.LLM_PROVIDER = provider
        text = " ".join(admin_client.get("/settings/").content.decode().split())
        assert (shown in text) is is_unused


def test_the_models_words_are_escaped(admin_client: Client) -> None:
    words = "<img src=x onerror=alert(1)>"
    CacheEntry.objects.create(
        image_hash="a" * 64,
        category="pets",
        confidence=1,
        description=words,
        model_response={"text": words},
    )
    text = admin_client.get("/test/answer/", {"hash": "a" * 64}).content.decode()

    assert "&lt;img" in text
    assert words not in text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (DRAFT.replace("pets", "cats"), "pets（宠物萌照）"),
        (DRAFT.replace("JSON", "对象"), "“JSON”"),
        ("太短", "50"),
        (DRAFT + "长" * 8000, "8000"),
    ],
)
def test_a_draft_is_refused_for_what_it_lacks(
    admin_client: Client, text: str, complaint: str
) -> None:
    response = admin_client.post(reverse("prompt-draft"), {"text": text})

    assert complaint in response.content.decode()
    assert PromptVersion.objects.count() == 1


def test_a_draft_waits_until_it_is_discarded_or_published(admin_client: Client) -> None:
    PromptVersion.objects.current()
    write_draft(admin_client)

    for name in ("prompt-draft", "prompt-publish"):  # the latter after a new login
        assert "请仔细看" in admin_client.get(reverse(name), follow=True).content.decode()
    assert reverse("prompt-draft") in admin_client.get(reverse("prompt")).content.decode()
    admin_client.post(reverse("prompt-discard"))
    assert admin_client.get(reverse("prompt-draft")).headers["Location"] == reverse("prompt")
    write_draft(admin_client)
    publish(admin_client)
    assert admin_client.get(reverse("prompt-draft")).headers["Location"] == reverse("prompt")


def test_publishing_makes_a_version_and_keeps_older_answers(
    admin_client: Client, admin_user: User
) -> None:
    PromptVersion.objects.current()
    publish(admin_client)

    current = PromptVersion.objects.current()
    assert (current.version, current.text, current.author) == (2, DRAFT, admin_user)
    assert current.accepted_from == 0


def test_keeping_does_not_revive_what_an_earlier_version_made_unknown(
    admin_client: Client,
) -> None:
    PromptVersion.objects.current()
    publish(admin_client, older="unknown")
    publish(admin_client, based_on=2)

    assert PromptVersion.objects.current().accepted_from == 2


def test_of_two_who_publish_the_second_is_told(admin_client: Client) -> None:
    PromptVersion.objects.current()
    publish(admin_client)
    response = publish(admin_client, DRAFT + "再看一遍。", follow=True)

    assert PromptVersion.objects.current().version == 2
    assert "第 2 版已在此期间发布" in response.content.decode()
    assert "再看一遍。" in response.content.decode()


@pytest.mark.parametrize("version", ["57", "-1", "0", "9" * 20, "²", ""])
@pytest.mark.parametrize("field", ["based_on", "restored_from"])
def test_a_version_that_there_is_not_publishes_nothing(
    admin_client: Client, field: str, version: str
) -> None:
    PromptVersion.objects.current()
    if (field, version) == ("restored_from", ""):
        version = "58"
    response = publish(admin_client, **{field: version}, follow=True)

    assert response.status_code == 200
    assert PromptVersion.objects.current().version == 1


@pytest.mark.parametrize(
    ("model", "cost"),
    [("qwen3-vl-plus", "¥0.0028"), ("a-model-of-unknown-price", "¥0.0200")],
)
def test_what_asking_again_would_cost_is_estimated_at_todays_price(
    admin_client: Client, admin_user: User, settings: Settings, model: str, cost: str
) -> None:
    settings.LLM_MODEL = model
    entries = {
        name: CacheEntry(image_hash=name * 64, category="pets", confidence=1, cost=Decimal("0.01"))
        for name in "abcd"
    }
    entries["a"].input_tokens, entries["a"].output_tokens = 1000, 40  # the others' are unknown
    entries["c"].correct("foods", by=admin_user)
    entries["d"].provider = "local"
    CacheEntry.objects.bulk_create(entries.values())
    text = write_draft(admin_client)

    assert "共有 2 条" in text
    assert cost in text


def test_a_trial_shows_both_answers_and_caches_none(
    admin_client: Client, model: DashScopeServer
) -> None:
    form = {"text": DRAFT, "image": SimpleUploadedFile("p.jpg", photo())}
    text = admin_client.post(reverse("prompt-trial"), form).content.decode()

    assert text.count("宠物萌照") == 2
    assert len(model.requests) == 2
    assert not CacheEntry.objects.exists()
