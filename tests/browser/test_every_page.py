"""What holds for every page: it is reachable, fits its screen, and people can use it."""

import re
from decimal import Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from classification.default_prompt import DEFAULT_PROMPT
from classification.models import CacheEntry, ModelCall, PromptVersion, RequestLog
from quality.models import Review
from tests.browser.conftest import wide_only
from tests.support.processes import a_process
from tests.support.runs import make_run

HASH = "a" * 64
PAGES = [
    "/",
    "/?last=24h",
    "/?wall",
    "/bill/",
    "/search/?q=nothing",
    "/quality/",
    "/quality/runs/1/",
    "/quality/compare/?run=1&run=2",
    "/quality/review/",
    "/quality/agreement/",
    "/test/",
    "/prompt/",
    "/prompt/1/",
    "/prompt/2/",
    "/prompt/draft/",
    "/status/",
    "/settings/",
    "/privacy/",
    "/account/tokens/",
    "/admin/",
    "/admin/classification/cacheentry/",
    f"/admin/classification/cacheentry/{HASH}/change/",
    "/admin/classification/requestlog/",
    "/admin/classification/requestlog/1/change/",
    "/admin/classification/modelcall/",
    "/admin/classification/modelcall/1/change/",
    "/admin/classification/promptversion/",
    "/admin/classification/promptversion/1/change/",
    "/admin/auth/user/",
    "/admin/password_change/",
]
# An attack, the mark that turns the reading direction round, and a word that fits no line.
HOSTILE = "<script>alert(1)</script>\u202e" + "w" * 150
both_languages = pytest.mark.parametrize("language", ["zh-hans", "en"])
# Headings of tables, and the search's placeholder, that need more space than they have.
CUT_OFF = """() => {
    const cells = [...document.querySelectorAll("thead th")];
    const cut = cells.filter((cell) => cell.scrollWidth > cell.clientWidth);
    const search = document.querySelector(".find input");
    const pen = document.createElement("canvas").getContext("2d");
    const { font, paddingInlineStart } = getComputedStyle(search);
    pen.font = font;
    const space = search.clientWidth - 2 * parseFloat(paddingInlineStart);
    const needed = pen.measureText(search.placeholder).width;
    if (search.checkVisibility() && needed > space) cut.push(search);
    return cut.map((one) => one.innerText || one.placeholder);
}"""
# Visible text and what is read aloud, except code and what is marked as English.
WORDS = """() => {
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const parent = walker.currentNode.parentElement;
        if (parent.closest("code, pre, bdi, textarea, script, template, [lang=en]")) continue;
        if (parent.checkVisibility() || parent.closest(".visually-hidden")) {
            texts.push(walker.currentNode.data);
        }
    }
    for (const name of ["aria-label", "alt", "placeholder", "title"]) {
        for (const element of document.querySelectorAll(`[${name}]:not(bdi, [lang=en])`)) {
            texts.push(element.getAttribute(name));
        }
    }
    return texts.map((text) => text.trim()).filter(Boolean);
}"""
# Two words of Latin letters in a row, at least, are English.
ENGLISH = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")


@pytest.fixture
def history(transactional_db: None) -> None:
    """A row of each kind, the model's words and a user's name being hostile."""
    answer = {"category": "pets", "confidence": Decimal("0.9"), "image_hash": HASH}
    a_process(1)
    CacheEntry.objects.create(
        **answer, description=HOSTILE, model_used="qwen-vl-plus", model_response={"text": HOSTILE}
    )
    Review.objects.create(
        image_hash=HASH, answer="pets", tally={"name": {"foods": 1}}, state="open", priority=1
    )
    RequestLog.objects.create(
        **answer, pk=1, request_id="req_1", user_id=HOSTILE[:64], source="llm"
    )
    RequestLog.objects.create(pk=2, request_id="req_2", outcome="model_timeout")
    ModelCall.objects.create(
        pk=1,
        request_id="req_1",
        image_hash=HASH,
        model="qwen-vl-plus",
        outcome="ok",
        billed="yes",
        cost=Decimal("0.01"),
        duration_ms=900,
    )
    PromptVersion.objects.create(pk=1, version=1, text=DEFAULT_PROMPT)
    PromptVersion.objects.create(pk=2, version=2, text=DEFAULT_PROMPT + "仔细看。")
    make_run(8, 12, pk=1, set_name=HOSTILE, prompt=DEFAULT_PROMPT, prompt_version=1)
    make_run(9, 12, pk=2, prompt="a draft")


@pytest.fixture
def draft(page: Page, history: None) -> None:
    page.goto("/prompt/")
    page.locator("form .primary").click()
    expect(page.locator("#drop")).to_be_visible()


def speak(page: Page, language: str) -> None:
    address = page.evaluate("location.origin")
    page.context.add_cookies([{"name": "django_language", "value": language, "url": address}])


def serious_findings(page: Page) -> list[str]:
    """What axe-core finds that keeps people from using the page."""
    # Without preloading: axe would look for style sheets' imports beside the page.
    options = {"preload": False, "resultTypes": ["violations"]}
    findings: list[Any] = Axe().run(page, options=options).response["violations"]
    return [
        f"{finding['id']}: {node['html']}"
        for finding in findings
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]


def test_every_page_fits_its_screen_and_has_no_serious_findings(page: Page, draft: None) -> None:
    for address in PAGES:
        response = page.goto(address)
        assert response, address
        assert response.status == 200, address
        assert "unsafe" not in response.headers["content-security-policy"], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert serious_findings(page) == [], address


@both_languages
def test_no_heading_of_a_table_is_cut_off(page: Page, draft: None, language: str) -> None:
    page.goto("/")
    speak(page, language)
    for address in ("/", "/?wall", "/bill/", "/status/", "/quality/compare/?run=1&run=2"):
        page.goto(address)
        assert page.evaluate(CUT_OFF) == [], address


@wide_only
def test_chinese_pages_have_no_english(page: Page, draft: None) -> None:
    for address in PAGES:
        page.goto(address)
        words = [text for text in page.evaluate(WORDS) if ENGLISH.search(text)]
        assert words == [], address


@pytest.mark.parametrize("colours", ["dark", "light"])
@wide_only
def test_contrast_holds_in_both_colour_schemes(page: Page, draft: None, colours: Any) -> None:
    page.emulate_media(color_scheme=colours)
    for address in ("/", "/test/", "/prompt/draft/", "/settings/", "/admin/auth/user/"):
        page.goto(address)
        assert serious_findings(page) == [], address


def test_the_documentation_of_the_api_shows(page: Page) -> None:
    for address in ("/docs", "/redoc"):
        page.goto(address)
        expect(page.get_by_text("/classify/check-cache").first).to_be_visible()


@wide_only
def test_a_page_that_is_not_there_has_no_serious_findings(page: Page, faults: list[str]) -> None:
    page.goto("/nothing/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("页面不存在")
    assert serious_findings(page) == []
    page.get_by_role("link", name="返回看板").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("看板")
    faults.clear()  # the browser reports the 404


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

    stranger.get_by_role("button", name="lin").click()
    stranger.get_by_role("button", name="退出").click()
    expect(stranger.get_by_role("button", name="登录")).to_be_visible()


def test_pages_are_chinese_until_switched(page: Page, draft: None) -> None:
    page.goto("/prompt/draft/")
    expect(page.get_by_role("heading", level=1)).to_have_text("草稿")
    page.get_by_role("button", name="lin").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Draft")
    page.get_by_role("link", name="Data").click()
    expect(page.get_by_text("Request log").first).to_be_visible()
    page.get_by_role("button", name="lin").click()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_text("请求日志").first).to_be_visible()


def test_every_page_links_to_every_other(page: Page) -> None:
    page.goto("/admin/")
    for name in ("看板", "复核", "测试", "提示词", "状态", "设置", "数据管理"):
        link = page.locator(".top").get_by_role("link", name=name, exact=True)
        link.click()
        expect(link).to_have_attribute("aria-current", "page")


@wide_only
def test_examples_are_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/settings/")
    page.locator("summary").get_by_text("应用接入").click()
    page.get_by_role("button", name="复制").first.click()
    expect(page.locator("[data-copied]").first).to_be_visible()

    assert "/api/v1/classify/check-cache" in page.evaluate("navigator.clipboard.readText()")


@both_languages
@wide_only
def test_the_settings_stand_side_by_side(page: Page, language: str) -> None:
    page.goto("/settings/")
    speak(page, language)
    page.reload()
    tops = "cards => cards.map(card => Math.round(card.getBoundingClientRect().top))"
    tops_of_cards = page.locator(".settings > .card").evaluate_all(tops)

    assert tops_of_cards.count(min(tops_of_cards)) == 4
    # One screen: the parts for reference are folded.
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
