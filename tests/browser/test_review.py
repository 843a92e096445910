"""The staff work the queue off, as the API then sees it."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from clients.models import App
from tests.support.api import check_cache, make_entry
from tests.support.votes import vote

PHOTOS = [f"{digit}a" * 32 for digit in "0123"]


@pytest.fixture(autouse=True)
def votes(transactional_db: None, client: Client) -> None:
    """People who say of four photos that they show food."""
    App.objects.anonymous()
    for image_hash in PHOTOS:
        make_entry(image_hash)
        vote(client, "foods", image_hash, user_id="anna")


def answers(client: Client) -> list[Any]:
    return [check_cache(client, photo).json()["data"]["category"] for photo in PHOTOS]


def test_the_queue_is_worked_off(page: Page, client: Client) -> None:
    assert answers(client) == ["pets"] * 4
    page.goto("/quality/review/")
    items = page.locator(".queue li")
    expect(items).to_have_count(4)
    first = items.filter(has_text=PHOTOS[0][:12])
    first.get_by_role("button", name="应为“美食记录”").click()
    expect(page.get_by_text("已修正 1 条结果。")).to_be_visible()
    expect(items).to_have_count(3)
    assert answers(client) == ["foods", "pets", "pets", "pets"]

    items.filter(has_text=PHOTOS[1][:12]).get_by_role("button", name="结果正确").click()
    expect(page.get_by_text("已确认 1 条结果。")).to_be_visible()
    for photo in PHOTOS[2:]:
        page.get_by_label(f"选择 {photo[:12]}").check()
    page.get_by_role("button", name="按多数反馈修正").click()

    expect(page.get_by_text("没有待复核的结果")).to_be_visible()
    assert answers(client) == ["foods", "pets", "foods", "foods"]
