"""The pages about runs."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from classification.default_prompt import DEFAULT_PROMPT
from quality.models import EvaluationRun
from tests.support.history import NOW, log
from tests.support.runs import make_run

pytestmark = pytest.mark.django_db


def compared(client: Client, *runs: EvaluationRun) -> str:
    address = reverse("quality-compare")
    answer = client.get(address, {"run": [run.pk for run in runs]}, follow=True)
    return answer.content.decode()


@pytest.mark.parametrize("address", ["/quality/", "/quality/runs/1/", "/quality/compare/"])
def test_the_pages_are_for_staff(client: Client, address: str) -> None:
    assert client.get(address).headers["Location"].startswith("/admin/login/")


def test_runs_are_listed_with_their_figures(admin_client: Client) -> None:
    make_run(8, 12, cost="0.0016")
    page = admin_client.get("/quality/").content.decode()

    for figure in ("qwen3-vl-plus", "held-out", "12 张照片", "66.7%", "39.1%", "86.2%", "¥0.0016"):
        assert figure in page
    assert page.count('class="point"') == 1


def test_what_is_in_force_is_marked(admin_client: Client, settings: Settings) -> None:
    settings.LLM_PROVIDER, settings.LLM_API_KEY = "aliyun", "sk-test"
    make_run(8, 12, prompt="another prompt")
    assert "生效中" not in admin_client.get("/quality/").content.decode()

    make_run(8, 12, prompt=DEFAULT_PROMPT)
    assert "生效中" in admin_client.get("/quality/").content.decode()


def test_an_unfinished_run_has_no_accuracy_yet(admin_client: Client) -> None:
    make_run(8, 12, finished_at=None, photo_count=20)
    page = admin_client.get("/quality/").content.decode()

    assert "已测 12 张" in page
    assert "66.7%" not in page
    assert 'class="point"' not in page


def test_one_run_shows_what_was_taken_for_what(admin_client: Client) -> None:
    run = make_run(8, 12)
    page = admin_client.get(reverse("quality-run", args=[run.pk])).content.decode()

    assert re.search(r'shade-6 right">\s*8\s*<', page)  # 8 of 12, in nine shades
    assert "pets/0011.jpg" in page
    assert "pets/0007.jpg" not in page
    assert page.count('class="point"') == 1


def test_two_runs_differ_in_named_photos_and_by_more_than_chance(admin_client: Client) -> None:
    page = compared(admin_client, make_run(90, 100), make_run(80, 100))

    assert "准确率明显下降" in page
    assert "0.2%" in page  # 2 / 2^10
    assert "pets/0080.jpg" in page
    assert "pets/0090.jpg" not in page
    assert "pets/0079.jpg" not in page


def test_a_small_difference_may_be_chance(admin_client: Client) -> None:
    assert "差异可能出于偶然" in compared(admin_client, make_run(90, 100), make_run(88, 100))


def test_what_a_change_saves_is_told_at_todays_traffic(admin_client: Client) -> None:
    with time_machine.travel(NOW, tick=False):
        for day in (1, 2):
            for _ in range(3):
                log(NOW - timedelta(days=day), from_cache=False)
            log(NOW - timedelta(days=day), from_cache=True)
        page = compared(admin_client, make_run(9, 9, cost="0.003"), make_run(9, 9, cost="0.001"))

    assert "每月 90 张新照片" in page  # three a day
    assert "¥0.1800" in page  # 90 times 0.002


@pytest.mark.parametrize("chosen", [[], ["1"], ["1", "2", "3"], ["x", "²"], ["7", "9" * 30]])
def test_other_than_two_runs_cannot_be_compared(admin_client: Client, chosen: list[str]) -> None:
    for _ in range(3):
        make_run(1, 1)
    answer = admin_client.get(reverse("quality-compare"), {"run": chosen}, follow=True)

    assert answer.redirect_chain == [(reverse("quality-runs"), 302)]
    assert "请选择两次评测" in answer.content.decode()


def test_a_run_that_there_is_not_is_not_found(admin_client: Client) -> None:
    assert admin_client.get(reverse("quality-run", args=[10**30])).status_code == 404
