"""The dashboard that people leave open."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from playwright.sync_api import FloatRect, Page, expect

from classification.models import CacheEntry, RequestLog
from clients.models import App
from tests.browser.conftest import LOOKS, wide_only, without_script
from tests.support.processes import a_process, paused

SIZES = {
    "phone": LOOKS["phone"],
    "tablet": {"viewport": {"width": 820, "height": 1180}},
    "wide": LOOKS["wide"],
    "4K": {"viewport": {"width": 3840, "height": 2160}},
}
REFRESH = "htmx.trigger('#refresh', 'refresh')"
# Sums up what moved without the reader's doing, from before the first paint on.
WATCH_SHIFTS = """
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifted += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""


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


def open_dashboard(page: Page, address: str = "/") -> None:
    page.goto(address)
    expect(page.locator(".chart canvas")).to_have_count(2)


def test_a_classification_shows_without_a_reload(page: Page) -> None:
    open_dashboard(page)
    requests = page.locator("#today .value").first
    expect(requests).to_have_text("1")
    a_hit()
    page.evaluate(REFRESH)

    expect(requests).to_have_text("2")
    expect(page.locator("#today .value").nth(1)).to_have_text("50.0%")
    expect(page.locator("#today")).to_contain_text("¥0.0100")
    expect(page.locator('[data-value="hits"]')).to_have_text("1")


def test_a_refresh_moves_nothing_and_keeps_the_readers_place(page: Page, entry: CacheEntry) -> None:
    page.add_init_script(WATCH_SHIFTS)
    open_dashboard(page, "/?last=90d")
    assert page.evaluate("shifted") < 0.01  # while it was loaded and drawn
    page.locator(".trend summary").click()
    table = page.locator("#trend-table")
    table.evaluate("(table) => { table.scrollTop = 500; }")
    link = page.locator(f"#entry-{entry.pk}")
    link.focus()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.users h2'))")
    page.evaluate("new Promise(requestAnimationFrame)")
    place = "[scrollY, document.body.scrollHeight, getSelection().toString()]"
    before = page.evaluate(place)
    page.evaluate("shifted = 0")
    a_hit()
    page.evaluate(REFRESH)
    expect(page.locator("#today .value").first).to_have_text("2")

    # A figure that is aligned on the right grows to the left, and that is all.
    assert page.evaluate("shifted") < 0.0005
    assert page.evaluate(place) == before
    assert table.evaluate("(table) => table.scrollTop") == 500
    expect(page.locator(".trend details")).to_have_attribute("open", "")
    expect(link).to_be_focused()


@pytest.mark.parametrize(
    "answer",
    [
        lambda route: route.fulfill(status=500, body=""),
        lambda route: route.abort(),
        lambda route: None,  # never
    ],
    ids=["error", "unreachable", "silent"],
)
@wide_only
def test_it_says_when_it_cannot_refresh_and_recovers(
    page: Page, faults: list[str], answer: Any
) -> None:
    page.add_init_script(WATCH_SHIFTS)
    open_dashboard(page)
    page.evaluate("htmx.config.timeout = 300")
    as_of = page.locator("#status time").text_content()
    page.evaluate("shifted = 0")
    page.route("**/", answer)
    page.evaluate(REFRESH)
    note = page.locator("#not-refreshed")
    expect(note).to_be_visible()
    expect(note).to_contain_text(as_of or "?")
    assert page.evaluate("shifted") == 0
    page.unroute("**/")
    page.evaluate("htmx.config.timeout = 20000")  # a busy machine takes its time
    page.evaluate(REFRESH)

    expect(note).to_be_hidden()
    faults.clear()  # the browser and htmx report what failed, too


@pytest.mark.parametrize("size", [(1366, 768), (3840, 2160)])
@wide_only
def test_the_wall_is_an_alarm_while_the_data_cannot_be_read(
    page: Page, faults: list[str], size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_dashboard(page, "/?wall")
    state = page.locator("#state")
    expect(state).to_have_class("verdict good")
    with a_table_away():
        page.evaluate(REFRESH)
        alarm = page.locator("#not-refreshed .headline")
        expect(alarm).to_be_visible()

        # A letter of 6% of the screen's height is read from five metres.
        height = alarm.evaluate("(line) => parseFloat(getComputedStyle(line).fontSize)")
        assert height >= min(0.06 * size[1], 0.034 * size[0])
        expect(state).not_to_be_visible()
        assert page.locator(".state.good:visible").count() == 0
        filters = "(cards) => cards.map((card) => getComputedStyle(card).filter)"
        assert set(page.locator(".card").evaluate_all(filters)) == {"grayscale(1)"}
    page.evaluate(REFRESH)

    expect(alarm).to_be_hidden()
    expect(state).to_be_visible()
    faults.clear()  # the browser and htmx report what failed, too


@contextmanager
def a_table_away() -> Iterator[None]:
    """The figures' table cannot be read in the block."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE stats_day RENAME TO stats_day_away")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE stats_day_away RENAME TO stats_day")


@wide_only
def test_a_paused_process_is_an_alarm_on_the_wall(page: Page) -> None:
    a_process(1, **paused("model_timeout"))
    a_process(2)
    open_dashboard(page, "/?wall")

    expect(page.locator("#state")).to_have_class("verdict warn")
    frame = "getComputedStyle(document.body, '::before').borderTopWidth"
    assert float(page.evaluate(frame).removesuffix("px")) > 5
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


@wide_only
def test_whose_session_has_ended_gets_the_login(page: Page, faults: list[str]) -> None:
    open_dashboard(page)
    Session.objects.all().delete()
    page.evaluate(REFRESH)

    expect(page.get_by_role("button", name="登录")).to_be_visible()
    faults.clear()  # the browser reports the 401


def test_the_period_is_chosen_in_place(page: Page) -> None:
    open_dashboard(page)
    page.locator(".trend summary").click()
    rows = page.locator("#trend-table tbody tr")
    expect(rows).to_have_count(30)
    page.get_by_role("link", name="90 天").scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    page.get_by_role("link", name="90 天").click()

    expect(rows).to_have_count(90)
    expect(page).to_have_url("/?last=90d")
    expect(page.get_by_role("link", name="90 天")).to_have_attribute("aria-current", "true")
    assert page.evaluate("scrollY") == before
    assert page.locator("[name=start]").input_value() == days_ago(89)
    page.evaluate(REFRESH)
    a_hit()
    page.evaluate(REFRESH)
    expect(page.locator("#today .value").first).to_have_text("2")
    expect(rows).to_have_count(90)


def days_ago(days: int) -> str:
    return f"{timezone.localdate() - timedelta(days=days)}T00:00"


@pytest.mark.parametrize("look", SIZES.values(), ids=SIZES)
def test_a_click_on_an_hour_opens_its_rows(page: Page) -> None:
    """The numbers match, and the address says what is shown."""
    hour = timezone.localtime().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    for minutes in (-1, 0, 20, 59, 60):
        at = hour + timedelta(minutes=minutes)
        RequestLog.objects.create(request_id=f"req_m{minutes}", created_at=at)
    day = hour.replace(hour=0)
    page.goto(f"/?start={day:%Y-%m-%dT%H:%M}&end={day + timedelta(days=1):%Y-%m-%dT%H:%M}")
    chart = page.locator(".chart").first
    expect(chart.locator("canvas")).to_be_visible()
    chart.focus()
    for _ in range(24 - hour.hour):
        page.keyboard.press("ArrowLeft")
    expect(page.locator('[data-value="misses"]')).to_have_text("3")
    when = page.locator(".readout [data-when]").first
    expect(when).to_contain_text(f"{hour:%H:%M}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Enter")

    expect(page.locator("#result_list tbody tr")).to_have_count(3)


def test_one_app_is_chosen_and_stays_chosen(page: Page) -> None:
    camera = App.objects.create(name="camera")
    for number in range(2):
        RequestLog.objects.create(request_id=f"req_c{number}", app=camera)
    open_dashboard(page, "/?last=7d")
    requests = page.locator("#today .value").first
    expect(requests).to_have_text("3")
    page.locator("[name=app]").select_option("camera")

    expect(page).to_have_url("/?last=7d&app=camera")
    expect(requests).to_have_text("2")
    expect(page.locator(".chart canvas")).to_have_count(2)
    RequestLog.objects.create(request_id="req_c2", app=camera)
    page.evaluate(REFRESH)
    expect(requests).to_have_text("3")
    page.get_by_role("link", name="30 天").click()
    expect(page).to_have_url("/?last=30d&app=camera")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".readout [data-when]").first.click()

    expect(page.locator("#result_list tbody tr")).to_have_count(3)


def place_of_the_chart(page: Page) -> FloatRect:
    """Where the pointer finds it: on the screen, under whatever cards stand above it."""
    chart = page.locator(".chart").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    return box


@wide_only
def test_the_pointer_opens_the_rows_too(page: Page) -> None:
    open_dashboard(page, "/?last=90d")
    box = place_of_the_chart(page)
    page.mouse.click(box["x"] + box["width"] - 27, box["y"] + box["height"] / 2)

    expect(page.locator("#result_list tbody tr")).to_have_count(1)


@wide_only
def test_a_day_of_the_trend_is_read_out(page: Page) -> None:
    open_dashboard(page, "/?last=90d")
    hits = page.locator('[data-value="misses"]')
    day = page.locator(".readout [data-when]").first
    today = day.text_content()
    expect(hits).to_have_text("1")
    box = place_of_the_chart(page)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(hits).to_have_text("0")
    assert day.text_content() != today
    page.mouse.move(0, 0)

    expect(hits).to_have_text("1")
    assert day.text_content() == today


@without_script
def test_without_a_script_everything_but_the_charts_is_there(page: Page) -> None:
    page.goto("/")

    expect(page.locator("#today .value").first).to_have_text("1")
    expect(page.locator("#lists")).to_contain_text("宠物萌照")
    expect(page.locator(".without-script").first).to_be_visible()
    expect(page.locator("#trend-table tbody tr").first).to_be_visible()
    expect(page.locator('meta[http-equiv="refresh"]')).to_have_attribute("content", "30")


@wide_only
def test_the_page_weighs_less_than_150_kilobytes(page: Page) -> None:
    sizes: list[int] = []
    page.on("response", lambda response: sizes.append(len(gzip.compress(response.body()))))
    page.goto("/", wait_until="networkidle")

    assert len(sizes) > 10
    assert sum(sizes) < 150_000
