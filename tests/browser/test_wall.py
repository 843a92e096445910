"""The wall: everything on one screen, and nothing cut off."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from classification.categories import KEYS
from classification.models import RequestLog
from tests.browser.conftest import wide_only


def a_request(category: str) -> None:
    RequestLog.objects.create(
        category=category,
        confidence=Decimal("0.9"),
        image_hash="b" * 64,
        request_id=f"req_{category}",
        source="llm",
    )


def open_wall(page: Page) -> None:
    page.goto("/?wall")
    expect(page.locator(".chart canvas")).to_have_count(2)


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080), (1440, 900), (3840, 2160)])
@wide_only
def test_the_wall_shows_everything_at_once(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_wall(page)
    outside = """(card) => {
        const { right, bottom } = card.getBoundingClientRect();
        return right > innerWidth || bottom > innerHeight;
    }"""

    cards = page.locator(".card")
    assert cards.count() == 1 + 6 + 1 + 5  # status, today, trend, lists
    assert not any(card.evaluate(outside) for card in cards.all())
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080), (3840, 2160)])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@wide_only
def test_the_wall_has_every_category(page: Page, size: tuple[int, int], language: str) -> None:
    for category in KEYS:
        a_request(category)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/admin/login/")
    page.context.add_cookies([{"name": "django_language", "value": language, "url": page.url}])
    open_wall(page)

    rows = page.locator(".categories tbody tr")
    assert rows.count() == len(KEYS)
    assert all(row.is_visible() for row in rows.all())
    last = rows.last.bounding_box()
    card = page.locator(".categories").bounding_box()
    assert last
    assert card
    assert last["y"] + last["height"] <= card["y"] + card["height"]
