"""The dashboard that people leave open."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from classification.models import CacheEntry, RequestLog

REFRESH = "htmx.trigger('#refresh', 'refresh')"


@pytest.fixture(autouse=True)
def entry(transactional_db: None) -> CacheEntry:
    """One photo that was asked about once today."""
    answer = {"category": "pets", "confidence": Decimal("0.9"), "image_hash": "a" * 64}
    RequestLog.objects.create(**answer, request_id="req_1", source="llm", cost=Decimal("0.01"))
    return CacheEntry.objects.create(**answer, model_used="qwen-vl-plus")


def a_hit() -> None:
    RequestLog.objects.create(
        category="pets",
        confidence=Decimal("0.9"),
        image_hash="a" * 64,
        request_id="req_2",
        source="cache",
        from_cache=True,
        saved=Decimal("0.01"),
    )


def test_a_classification_shows_without_a_reload(page: Page) -> None:
    page.goto("/", wait_until="networkidle")
    requests = page.locator("#today .value").first
    expect(requests).to_have_text("1")
    a_hit()
    page.evaluate(REFRESH)

    expect(requests).to_have_text("2")
    expect(page.locator("#today .value").nth(1)).to_have_text("50.0%")
    expect(page.locator("#today")).to_contain_text("¥0.0100")


def test_a_refresh_keeps_the_readers_place(page: Page, entry: CacheEntry) -> None:
    page.goto("/", wait_until="networkidle")
    link = page.locator(f"#entry-{entry.pk}")
    link.focus()
    page.locator(".trend summary").click()
    link.focus()
    before = page.evaluate("[scrollY, document.body.scrollHeight]")
    boxes = (
        "[...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect().top)"
    )
    places = page.evaluate(boxes)
    a_hit()
    page.evaluate(REFRESH)
    expect(page.locator("#today .value").first).to_have_text("2")

    assert page.evaluate("[scrollY, document.body.scrollHeight]") == before
    assert page.evaluate(boxes) == places
    expect(page.locator(".trend details")).to_have_attribute("open", "")
    expect(link).to_be_focused()


def test_it_says_when_it_cannot_refresh_and_recovers(page: Page, faults: list[str]) -> None:
    page.goto("/", wait_until="networkidle")
    as_of = page.locator("#status time").text_content()
    page.route("**/", lambda route: route.fulfill(status=404, body=""))
    page.evaluate(REFRESH)
    note = page.locator("#not-refreshed")
    expect(note).to_be_visible()
    expect(note).to_contain_text(as_of or "?")
    page.unroute("**/")
    page.evaluate(REFRESH)

    expect(note).to_be_hidden()
    faults.clear()  # the browser and htmx report what failed, too


def test_the_trend_is_drawn_and_can_be_chosen(page: Page) -> None:
    page.goto("/", wait_until="networkidle")
    expect(page.locator(".chart canvas")).to_have_count(2)
    page.get_by_role("link", name="90 天").click()
    expect(page.locator(".chart canvas")).to_have_count(2)
    page.locator(".trend summary").click()

    expect(page.locator("#trend-table tbody tr")).to_have_count(90)


def test_everything_but_the_charts_is_there_without_a_script(page: Page) -> None:
    page.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/", wait_until="networkidle")

    expect(page.locator("#today .value").first).to_have_text("1")
    expect(page.locator("#lists")).to_contain_text("宠物萌照")


def test_the_page_weighs_less_than_400_kilobytes(page: Page) -> None:
    sizes: list[int] = []
    page.on("response", lambda response: sizes.append(len(response.body())))
    page.goto("/", wait_until="networkidle")

    # Uncompressed already; what is sent is a third of it.
    assert sum(sizes) < 400_000
