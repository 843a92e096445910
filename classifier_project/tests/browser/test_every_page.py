"""What holds for every page: it is reachable, fits its screen, and people can use it."""

import re
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from classification.models import CacheEntry, ModelCall, PromptVersion, RequestLog

PAGES = [
    "/",
    "/?days=7",
    "/?wall",
    "/test/",
    "/prompt/",
    "/prompt/1/",
    "/settings/",
    "/admin/",
    "/admin/classification/cacheentry/",
    f"/admin/classification/cacheentry/{'a' * 64}/change/",
    "/admin/classification/requestlog/",
    "/admin/classification/modelcall/",
    "/admin/classification/promptversion/",
]


@pytest.fixture
def history(transactional_db: None) -> None:
    """A row of each kind, the model's words being an attack."""
    words = "<script>alert(1)</script>"
    answer = {"category": "pets", "confidence": Decimal("0.9"), "image_hash": "a" * 64}
    CacheEntry.objects.create(
        **answer, description=words, model_used="qwen-vl-plus", model_response={"text": words}
    )
    RequestLog.objects.create(**answer, request_id="req_1", user_id=words, source="llm")
    RequestLog.objects.create(request_id="req_2", outcome="model_timeout")
    ModelCall.objects.create(
        request_id="req_1",
        image_hash="a" * 64,
        model="qwen-vl-plus",
        outcome="ok",
        billed="yes",
        cost=Decimal("0.01"),
        duration_ms=900,
    )
    PromptVersion.objects.current()


def serious_findings(page: Page) -> list[str]:
    """What axe-core finds that keeps people from using the page."""
    # Without preloading: axe would look for style sheets' imports beside the page.
    findings = Axe().run(page, options={"preload": False}).response["violations"]
    return [
        f"{finding['id']}: {node['html']}"
        for finding in findings
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]


@pytest.mark.parametrize("address", PAGES)
def test_fits_the_screen_and_has_no_serious_findings(
    page: Page, history: None, address: str
) -> None:
    response = page.goto(address, wait_until="networkidle")

    assert response
    assert response.status == 200
    policy = response.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious_findings(page) == []


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_contrast_holds_in_both_colour_schemes(page: Page, history: None, colours: str) -> None:
    page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
    page.goto("/", wait_until="networkidle")

    assert serious_findings(page) == []


def test_the_documentation_of_the_api_shows(page: Page) -> None:
    page.goto("/docs")
    expect(page.get_by_text("/api/v1/classify/check-cache").first).to_be_visible()


def test_a_stranger_logs_in_and_out(stranger: Page, staff: User) -> None:
    stranger.goto("/prompt/")
    stranger.get_by_label("用户名").fill("lin")
    stranger.get_by_label("密码").fill("wrong")
    stranger.get_by_role("button", name="登录").click()
    expect(stranger.locator(".errornote")).to_be_visible()
    assert serious_findings(stranger) == []

    stranger.get_by_label("密码").fill("a long password")
    stranger.get_by_role("button", name="登录").click()
    expect(stranger).to_have_url(re.compile("/prompt/$"))

    stranger.get_by_role("button", name="退出").click()
    expect(stranger.get_by_role("button", name="登录")).to_be_visible()


def test_pages_are_chinese_until_switched(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("看板")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    page.get_by_role("link", name="Data").click()
    expect(page.get_by_text("Request log").first).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_text("请求日志").first).to_be_visible()


def test_every_page_links_to_every_other(page: Page) -> None:
    page.goto("/admin/")
    for name in ("看板", "测试", "提示词", "设置", "数据"):
        link = page.locator(".top").get_by_role("link", name=name, exact=True)
        link.click()
        expect(link).to_have_attribute("aria-current", "page")


def test_the_keyboard_reaches_the_content_first(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("#content$"))
