"""The gate before a prompt goes live: what was measured of it decides whether it wants a tick."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from classification.default_prompt import DEFAULT_PROMPT
from classification.models import PromptVersion
from operations.doctor.findings import Options
from operations.doctor.quality import examine_quality
from quality.models import AcceptedModel
from tests.support.html_forms import input_values
from tests.support.runs import make_run

pytestmark = pytest.mark.django_db

DRAFT = DEFAULT_PROMPT.replace("请看", "请仔细看")
NEVER, WORSE = "从未评测过", "准确率明显下降"


@pytest.fixture(autouse=True)
def paid_model(settings: Settings) -> None:
    settings.LLM_PROVIDER, settings.LLM_API_KEY = "aliyun", "sk-test"
    PromptVersion.objects.current()


def publish(client: Client, **fields: Any) -> str:
    """What the next page says."""
    form = {"text": DRAFT, "based_on": 1, "older": "keep"} | fields
    return client.post(reverse("prompt-publish"), form, follow=True).content.decode()


def reviewed(client: Client) -> str:
    return client.post(reverse("prompt-draft"), {"text": DRAFT}, follow=True).content.decode()


def tick_in(page: str) -> str:
    return unescape(re.findall(r'name="accepts"\s+value="([^"]*)"', page)[0])


def is_published() -> bool:
    return PromptVersion.objects.current().text == DRAFT


def test_a_draft_that_was_never_measured_wants_a_tick(admin_client: Client) -> None:
    assert 'name="accepts"' in reviewed(admin_client)
    assert NEVER in publish(admin_client)
    assert not is_published()

    publish(admin_client, accepts=tick_in(reviewed(admin_client)))
    assert is_published()
    assert NEVER in LogEntry.objects.get().change_message


def test_a_draft_that_is_worse_by_more_than_chance_wants_a_tick(admin_client: Client) -> None:
    make_run(90, 100, prompt=DEFAULT_PROMPT)
    make_run(80, 100, prompt=DRAFT)
    page = reviewed(admin_client)

    assert WORSE in page
    assert "90.0%" in page
    assert "80.0%" in page
    publish(admin_client)
    assert not is_published()
    publish(admin_client, accepts=tick_in(reviewed(admin_client)))
    assert is_published()
    assert "90.0%" in LogEntry.objects.get().change_message


def test_a_tick_is_for_what_the_page_said(admin_client: Client) -> None:
    tick = tick_in(reviewed(admin_client))
    make_run(90, 100, prompt=DEFAULT_PROMPT)
    make_run(70, 100, prompt=DRAFT)

    assert WORSE in publish(admin_client, accepts=tick)
    assert not is_published()


@pytest.mark.parametrize("right", [88, 90, 100])
def test_a_draft_that_is_as_good_as_far_as_chance_allows_goes_live(
    admin_client: Client, right: int
) -> None:
    make_run(90, 100, prompt=DEFAULT_PROMPT)
    make_run(right, 100, prompt=DRAFT)

    assert 'name="accepts"' not in reviewed(admin_client)
    publish(admin_client)
    assert is_published()


def test_the_last_run_counts(admin_client: Client) -> None:
    make_run(90, 100, prompt=DEFAULT_PROMPT)
    make_run(80, 100, prompt=DRAFT)
    make_run(89, 100, prompt=DRAFT)
    publish(admin_client)

    assert is_published()


@pytest.mark.parametrize(
    "other",
    [
        {"model": "qwen3-vl-flash"},
        {"max_side": 512},
        {"finished_at": None},
        {"prompt": DRAFT + "。"},
    ],
)
def test_a_run_of_something_else_is_no_measurement(
    admin_client: Client, other: dict[str, Any]
) -> None:
    make_run(100, 100, **{"prompt": DRAFT} | other)

    assert NEVER in publish(admin_client)


def test_a_run_over_other_photos_tells_nothing(admin_client: Client) -> None:
    make_run(90, 100, prompt=DEFAULT_PROMPT)
    make_run(100, 100, prompt=DRAFT).results.update(expected="foods")

    assert "照片不同" in publish(admin_client)
    assert not is_published()


def test_a_prompt_that_nobody_reads_needs_no_measurement(
    admin_client: Client, settings: Settings
) -> None:
    settings.LLM_PROVIDER = "local"
    publish(admin_client)

    assert is_published()


def test_the_history_tells_how_often_a_version_was_right(admin_client: Client) -> None:
    run = make_run(9, 12, prompt=DEFAULT_PROMPT)
    page = admin_client.get(reverse("prompt")).content.decode()

    assert "75.0%" in page
    assert reverse("quality-run", args=[run.pk]) in page


def doctor_findings() -> list[tuple[str, str]]:
    return [(one.level, one.message) for one in examine_quality(Options())]


def test_an_installation_that_measures_nothing_is_left_alone(admin_client: Client) -> None:
    assert [level for level, _ in doctor_findings()] == ["ok"]
    assert reverse("quality-accept") not in admin_client.get("/quality/").content.decode()


@pytest.mark.parametrize(("right", "words"), [(80, "measurably worse"), (None, "never measured")])
def test_a_change_of_model_is_in_question_until_somebody_accepts_it(
    admin_client: Client, right: int | None, words: str
) -> None:
    make_run(90, 100, model="an-older-model")
    if right:
        make_run(right, 100)
    [(level, message)] = doctor_findings()
    assert level == "warning"
    assert words in message
    assert "an-older-model was right on 90.0%" in message

    shown = input_values(admin_client.get("/quality/").content.decode())
    admin_client.post(reverse("quality-accept"), shown)
    assert [level for level, _ in doctor_findings()] == ["ok"]
    assert "90.0%" in LogEntry.objects.get().change_message or right is None
    make_run(70, 100)  # a later run is a new question
    assert [level for level, _ in doctor_findings()] == ["warning"]
    admin_client.post(reverse("quality-accept"), shown)  # of a page from before that run
    assert [level for level, _ in doctor_findings()] == ["warning"]


def test_a_better_model_is_in_no_question(admin_client: Client) -> None:
    make_run(80, 100, model="an-older-model")
    make_run(90, 100)
    [(level, message)] = doctor_findings()

    assert level == "ok"
    assert "qwen3-vl-plus was right on 90.0% (82.6% to 94.5%) of 100 photos" in message


def test_a_viewer_accepts_nothing(client: Client, django_user_model: type[User]) -> None:
    make_run(90, 100, model="an-older-model")
    client.force_login(django_user_model.objects.create_user("viewer", is_staff=True))

    assert client.post(reverse("quality-accept")).status_code == 403
    assert not AcceptedModel.objects.exists()
