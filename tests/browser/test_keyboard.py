"""Everything that a mouse can do, the keyboard can."""

import re

import pytest
from playwright.sync_api import FileChooser, Page, TimeoutError, expect

from classification.models import CacheEntry, PromptVersion
from tests.browser.conftest import PATIENCE_MS, wide_only
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = [wide_only, pytest.mark.usefixtures("model")]

HASH = "a" * 64
PAGES = [
    "/",
    "/?wall",
    "/test/",
    "/prompt/",
    "/settings/",
    "/admin/",
    "/admin/classification/cacheentry/",
    f"/admin/classification/cacheentry/{HASH}/change/",
    "/admin/classification/requestlog/",
]
# What a mouse can use, in the order of the document.
USABLE = """() => {
    const kinds = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    window.usable = [...document.querySelectorAll(kinds)].filter((element) =>
        element.type !== "hidden" && !element.disabled && element.tabIndex >= 0
        && element.checkVisibility({ visibilityProperty: true }));
    return window.usable.length;
}"""
# Where the focus is among them, and whether people can see it.
FOCUS = """() => {
    const element = document.activeElement;
    const ringed = element.matches("input[type=file]") ? element.closest("label") : element;
    const style = getComputedStyle(ringed);
    const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const box = ringed.getBoundingClientRect();
    const place = window.usable.indexOf(element);
    return seen && box.width && box.right > 0 ? place : `unseen: ${element.outerHTML}`;
}"""

# A moment is typed field by field, from year to minute, and all of them are one element.
LEAVING = "window.left = document.activeElement"
IS_IN_THE_SAME_MOMENT = """
    document.activeElement === window.left
    && window.left.matches("[type=date], [type=datetime-local]")
"""


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there, at most once round the page."""
    target = page.locator(selector).first
    for _ in range(80):
        page.keyboard.press("Tab")
        if target.evaluate("(element) => element === document.activeElement"):
            return
    pytest.fail(f"The keyboard does not reach {selector}.")


def choose_by_key(page: Page) -> FileChooser:
    """Open the file chooser that has the focus. Late in a whole run, Chromium has twice opened
    none, nobody knows why; a person would press again."""
    for key in ("Space", "Enter", "Space"):
        try:
            with page.expect_file_chooser(timeout=PATIENCE_MS / 2) as chooser:
                page.keyboard.press(key)
        except TimeoutError:
            continue
        return chooser.value
    focused = page.evaluate("document.activeElement.outerHTML")
    pytest.fail(f"No file chooser opens; the focus is on {focused}.")


def test_tab_goes_through_every_page_in_order_and_is_seen(page: Page) -> None:
    CacheEntry.objects.create(image_hash=HASH, category="pets", confidence=1, hit_count=3)
    for address in PAGES:
        page.goto(address)
        # From the top, not from the field that a page begins in.
        page.evaluate("document.activeElement.blur()")
        count = page.evaluate(USABLE)
        page.locator("body").press("Tab")
        reached = [page.evaluate(FOCUS)]
        for _ in range(count - 1):
            page.evaluate(LEAVING)
            page.keyboard.press("Tab")
            while page.evaluate(IS_IN_THE_SAME_MOMENT):
                page.keyboard.press("Tab")
            reached.append(page.evaluate(FOCUS))
        assert reached == list(range(count)), address


def test_the_skip_link_leads_past_the_navigation(page: Page) -> None:
    page.goto("/prompt/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#content$"))
    page.keyboard.press("Tab")

    expect(page.get_by_label("提示词", exact=True)).to_be_focused()


def test_the_dashboard_by_keyboard(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".chart canvas")).to_have_count(2)
    tab_to(page, "#range a:last-child")
    page.keyboard.press("Enter")
    expect(page).to_have_url("/?last=90d")
    expect(page.locator("#range a:last-child")).to_be_focused()

    day = page.locator(".readout [data-when]").first
    today = day.text_content() or ""
    tab_to(page, ".chart")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(day).not_to_have_text(today)
    page.keyboard.press("ArrowRight")
    expect(day).to_have_text(today)

    tab_to(page, ".trend summary")
    page.keyboard.press("Space")
    expect(page.locator("#trend-table")).to_be_visible()


def test_a_photo_by_keyboard(page: Page, model: DashScopeServer) -> None:
    page.goto("/test/")
    tab_to(page, "#choose")
    choose_by_key(page).set_files({"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    expect(page.locator(".photo .category")).to_have_text("宠物萌照")
    model.category = "other"
    tab_to(page, "[data-again]")
    page.keyboard.press("Enter")
    expect(page.locator(".compare")).to_be_visible()
    tab_to(page, "[data-part=again] button")
    page.keyboard.press("Enter")

    expect(page.get_by_text("从现在起，应用得到的结果是：其它")).to_be_visible()


def test_a_prompt_by_keyboard(page: Page) -> None:
    page.goto("/prompt/")
    tab_to(page, "#id_text")
    page.keyboard.press("Control+End")
    page.keyboard.type("仔细看。")
    tab_to(page, "form .primary")
    page.keyboard.press("Enter")
    expect(page.locator(".differences ins")).to_contain_text("仔细看。")
    tab_to(page, "[name=older]")
    page.keyboard.press("ArrowDown")
    tab_to(page, "[name=accepts]")  # no run has measured it
    page.keyboard.press("Space")
    tab_to(page, "form[action$='/publish/'] button")
    page.keyboard.press("Enter")
    expect(page.get_by_text("第 2 版已生效")).to_be_visible()

    assert PromptVersion.objects.current().accepted_from == 2


def test_a_correction_and_a_language_by_keyboard(page: Page) -> None:
    CacheEntry.objects.create(image_hash=HASH, category="pets", confidence=1)
    page.goto(f"/admin/classification/cacheentry/{HASH}/change/")
    page.locator("#id_category").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    tab_to(page, "[name=_save]")
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_be_visible()
    assert CacheEntry.objects.get().category == "foods"

    page.locator(".brand").focus()
    tab_to(page, "[popovertarget=account]")
    page.keyboard.press("Enter")
    tab_to(page, "[name=language][value=en]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Dashboard")).to_be_visible()
