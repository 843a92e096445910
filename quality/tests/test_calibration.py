"""What a confidence has meant, on the staff's pages only."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from classification.default_prompt import DEFAULT_PROMPT
from classification.models import CacheEntry
from tests.support.api import HASH, check_cache, make_entry
from tests.support.runs import make_run
from tests.support.votes import vote

pytestmark = pytest.mark.django_db

MEANING = "置信度 90.0% 至 95.0% 的 40 个结果中，75.0% 正确"


@pytest.fixture(autouse=True)
def live_run(settings: Settings) -> None:
    settings.LLM_PROVIDER, settings.LLM_API_KEY = "aliyun", "sk-test"
    make_run(30, 40, prompt=DEFAULT_PROMPT)


def pages(client: Client, entry: CacheEntry) -> list[str]:
    addresses = [
        reverse("playground-answer") + f"?hash={entry.image_hash}",
        reverse("admin:classification_cacheentry_change", args=[entry.pk]),
    ]
    return [client.get(address, follow=True).content.decode() for address in addresses]


def test_staff_see_how_often_answers_as_sure_were_right(admin_client: Client) -> None:
    entry = make_entry(model_used="qwen3-vl-plus", confidence="0.93")

    assert all(MEANING in page for page in pages(admin_client, entry))
    answer = check_cache(admin_client).json()["data"]
    assert answer["confidence"] == 0.93
    assert set(answer) == {"category", "confidence", "description"}


def test_the_review_queue_tells_it_beside_each_confidence(admin_client: Client) -> None:
    for image_hash, confidence in ((HASH, "0.93"), ("bb" * 32, "0.92"), ("cc" * 32, "0.5")):
        make_entry(image_hash, model_used="qwen3-vl-plus", confidence=confidence)
        vote(admin_client, "foods", image_hash, user_id="anna")
    page = admin_client.get(reverse("quality-review")).content.decode()

    assert page.count("实测 40 张，75.0% 正确") == 2
    assert "50.0%" in page


@pytest.mark.parametrize(
    "fields",
    [
        {"model_used": "another", "confidence": "0.93"},
        {"model_used": "qwen3-vl-plus", "confidence": "0.5"},
    ],
)
def test_what_was_not_measured_is_not_said(admin_client: Client, fields: dict[str, str]) -> None:
    assert not any("个结果中" in page for page in pages(admin_client, make_entry(**fields)))


def test_a_correction_has_no_confidence(admin_client: Client, admin_user: User) -> None:
    entry = make_entry(model_used="qwen3-vl-plus", confidence="0.93", image_hash=HASH)
    entry.correct("foods", by=admin_user)
    entry.save()

    assert not any("个结果中" in page for page in pages(admin_client, entry))
