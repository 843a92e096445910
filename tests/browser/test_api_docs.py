"""The API's pages: the tools in our frame, and the list where no script runs."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import wide_only, without_script

PAGES = ["/docs", "/redoc"]
# The ground and the text of the whole page, as drawn.
COLOURS = """() => ["#swagger-ui .info .title, #redoc h1", "body"].map((where) => {
    const style = getComputedStyle(document.querySelector(where));
    return where === "body" ? style.backgroundColor : style.color;
}).map((colour) => colour.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + +part, 0))"""


def test_the_tools_take_the_place_of_the_list(stranger: Page) -> None:
    summary = stranger.locator(".opblock-summary-description, #redoc h2")
    for address in PAGES:
        stranger.goto(address)
        expect(summary.filter(has_text="按哈希查询照片是否已识别过")).to_be_visible()
        expect(stranger.locator(".plain")).to_have_count(0)
        assert stranger.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        expect(stranger.get_by_role("link", name="返回看板")).to_be_visible()
    stranger.get_by_role("button", name="English").click()
    expect(summary.filter(has_text="Look up a photo by its hash")).to_be_visible()
    stranger.get_by_role("link", name="Back to the dashboard").click()
    expect(stranger.get_by_role("button", name="Log in")).to_be_visible()


@wide_only
@pytest.mark.parametrize(("system", "chosen"), [("dark", ""), ("light", "dark"), ("dark", "light")])
def test_the_tools_are_light_or_dark_as_the_site(stranger: Page, system: Any, chosen: str) -> None:
    stranger.emulate_media(color_scheme=system)
    for address in PAGES:
        stranger.goto(address)
        if chosen:
            stranger.context.add_cookies([{"name": "theme", "value": chosen, "url": stranger.url}])
            stranger.reload()
        expect(stranger.locator(".plain")).to_have_count(0)
        stranger.locator("#swagger-ui .info .title, #redoc h1").first.wait_for()
        text, ground = stranger.evaluate(COLOURS)
        assert (text > ground) == ((chosen or system) == "dark"), address


@without_script
def test_without_script_the_page_is_a_list(stranger: Page) -> None:
    for address in PAGES:
        stranger.goto(address)
        expect(stranger.get_by_role("heading", level=1)).to_have_text("接口文档")
        stranger.get_by_role("link", name="POST /api/v1/classify", exact=True).click()
        section = stranger.locator("#classify")
        expect(section.get_by_role("heading", level=2)).to_be_in_viewport()
        expect(section.get_by_role("cell", name="X-User-ID", exact=True)).to_be_visible()
        expect(section.get_by_text("model_timeout")).to_be_visible()
