"""What staff do to cache entries, as the API then sees it."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from classification.models import CacheEntry

HASH = "a" * 64
pytestmark = pytest.mark.usefixtures("entry")


@pytest.fixture
def entry(transactional_db: None) -> CacheEntry:
    return CacheEntry.objects.create(
        image_hash=HASH, category="pets", confidence=Decimal("0.9"), model_used="qwen-vl-plus"
    )


def ask(client: Client) -> Any:
    body = json.dumps({"image_hash": HASH})
    return client.post("/api/v1/classify/check-cache", body, "application/json").json()


def act(page: Page, action: str) -> None:
    page.goto("/admin/classification/cacheentry/")
    page.locator(".action-select").check()
    page.get_by_label("动作").select_option(label=action)
    page.locator("button[name=index]").click()


def test_a_correction_reaches_clients_at_once(page: Page, client: Client) -> None:
    assert ask(client)["data"]["category"] == "pets"
    page.goto(f"/admin/classification/cacheentry/{HASH}/change/")
    page.get_by_label("类别").select_option(label="美食记录")
    page.get_by_role("button", name="保存", exact=True).click()

    expect(page.locator(".messagelist")).to_be_visible()
    expect(page.locator(".field-corrected")).to_have_text("lin")
    assert ask(client)["data"]["category"] == "foods"


def test_an_entry_is_purged_after_a_second_look(page: Page, client: Client) -> None:
    act(page, "删除缓存")
    expect(page.get_by_text("已选中 1 条")).to_be_visible()
    page.get_by_role("button", name="删除缓存").click()
    expect(page.get_by_text("已删除 1 条")).to_be_visible()

    assert not ask(client)["cached"]


def test_an_entry_is_marked_stale_after_a_second_look_and_taken_back(
    page: Page, client: Client
) -> None:
    act(page, "照片再次上传时重新识别")
    expect(page.get_by_text("已选中 1 条")).to_be_visible()
    assert ask(client)["cached"]
    page.get_by_role("button", name="标记失效").click()
    expect(page.get_by_text("1 条缓存已标记失效")).to_be_visible()
    assert not ask(client)["cached"]

    act(page, "撤销失效标记，继续使用缓存结果")
    expect(page.get_by_text("1 条缓存已恢复使用")).to_be_visible()
    assert ask(client)["cached"]
    assert not CacheEntry.objects.get().ask_again
