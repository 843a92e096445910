"""Runs are listed and compared, and the gate before a prompt holds until it is told not to."""

import re

import pytest
from playwright.sync_api import Page, expect

from classification.default_prompt import DEFAULT_PROMPT
from classification.models import PromptVersion
from tests.support.runs import make_run

pytestmark = pytest.mark.usefixtures("model")

DRAFT = DEFAULT_PROMPT.replace("图片分类助手", "照片分类专家")


@pytest.fixture
def runs(transactional_db: None) -> None:
    """What is live, and a draft that is worse by more than chance."""
    make_run(90, 100, pk=1, prompt=DEFAULT_PROMPT, prompt_version=1)
    make_run(80, 100, pk=2, prompt=DRAFT)


def test_two_runs_are_picked_and_compared(page: Page, runs: None) -> None:
    page.goto("/quality/")
    expect(page.locator(".plot .point")).to_have_count(2)
    for number in (1, 2):
        page.get_by_label(f"对比 #{number}").check()
    page.get_by_role("button", name="对比选中的两次").click()

    expect(page.get_by_text("准确率明显下降")).to_be_visible()
    expect(page.locator(".files tbody tr")).to_have_count(10)
    page.get_by_role("link", name="#2").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("评测 #2")
    expect(page.locator(".confusion .right")).to_contain_text(["80"])


def test_the_gate_holds_and_lets_through_with_a_tick(page: Page, runs: None) -> None:
    page.goto("/prompt/")
    page.get_by_label("提示词", exact=True).fill(DRAFT)
    page.get_by_role("button", name="检查并对比").click()
    expect(page.locator("form .facts")).to_contain_text("90.0%")
    expect(page.locator("form .facts")).to_contain_text("80.0%")

    page.get_by_role("button", name="发布").click()
    expect(page).to_have_url(re.compile("/prompt/draft/$"))
    assert PromptVersion.objects.count() == 1

    page.get_by_label("仍然发布").check()
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_text("80.0%")).to_be_visible()
    assert PromptVersion.objects.current().text == DRAFT
