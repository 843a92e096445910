"""A viewer, an editor and an operator each through their week, from page to page by links."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect

from classification.default_prompt import DEFAULT_PROMPT
from classification.models import PromptVersion, RequestLog
from clients.models import App
from tests.browser.conftest import wide_only
from tests.support.api import HASH, check_cache, make_entry
from tests.support.roles import give_role
from tests.support.votes import vote

pytestmark = [wide_only, pytest.mark.usefixtures("model")]


@pytest.fixture(autouse=True)
def week(transactional_db: None, client: Client) -> None:
    """One photo of a cat, which somebody says is food."""
    App.objects.anonymous()
    make_entry()
    RequestLog.objects.create(
        request_id="req_1", user_id="anna", image_hash=HASH, category="pets", confidence=0.9
    )
    vote(client, "foods", user_id="anna")


def open_page(page: Page, name: str) -> None:
    page.locator(".top").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def buttons(page: Page) -> list[str]:
    """What one can do on a page, beside what every page has."""
    found = page.locator("main, #content").get_by_role("button").all_inner_texts()
    return [text.strip() for text in found]


def test_a_viewers_week(page: Page, staff: User) -> None:
    give_role(staff, "viewer")
    page.goto("/")
    page.locator(".categories").get_by_role("link", name="宠物萌照").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    for name in ("应用", "账单", "状态", "质量", "设置"):
        open_page(page, name)
    open_page(page, "复核")
    expect(page.locator(".queue li")).to_have_count(1)
    assert buttons(page) == []
    open_page(page, "提示词")
    assert buttons(page) == []
    page.get_by_role("searchbox").fill(HASH[:8])
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".field-category")).to_contain_text("宠物萌照")
    expect(page.locator("[name=_save]")).to_have_count(0)
    expect(page.locator(".top").get_by_role("link", name="隐私")).to_have_count(0)

    page.get_by_role("button", name="lin").click()
    page.get_by_role("link", name="API 令牌").click()
    page.get_by_label("名称").fill("weekly report")
    page.get_by_role("button", name="创建令牌").click()
    key = page.locator(".note pre").inner_text()
    today = Client().get("/api/v1/stats/today", headers={"Authorization": f"Bearer {key}"})
    assert today.json()["data"]["total_requests"] == 1


def test_an_editors_week(page: Page, staff: User, client: Client) -> None:
    give_role(staff, "editor")
    page.goto("/")
    open_page(page, "复核")
    page.get_by_role("button", name="应为“美食记录”").click()
    expect(page.get_by_text("已修正 1 条结果。")).to_be_visible()
    assert check_cache(client).json()["data"]["category"] == "foods"

    page.get_by_role("searchbox").fill(HASH[:8])
    page.get_by_role("searchbox").press("Enter")
    page.locator("[name=description]").fill("一碗面")
    page.locator("[name=_save]").click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert "删除缓存" not in page.locator("select[name=action]").inner_text()
    assert check_cache(client).json()["data"]["description"] == "一碗面"

    open_page(page, "提示词")
    page.get_by_label("提示词", exact=True).fill(DEFAULT_PROMPT + "请仔细看。")
    page.get_by_role("button", name="检查并对比").click()
    page.get_by_label("仍然发布").check()
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_text("第 2 版已生效")).to_be_visible()
    assert PromptVersion.objects.current().author == staff
    open_page(page, "应用")
    expect(page.get_by_role("link", name="新建应用")).to_have_count(0)


def test_an_operators_week(page: Page, staff: User, client: Client) -> None:
    give_role(staff, "operator")
    page.goto("/")
    open_page(page, "状态")
    open_page(page, "应用")
    page.get_by_role("link", name="新建应用").click()
    page.get_by_label("名称").fill("camera")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_label("应用密钥")).to_be_visible()

    open_page(page, "隐私")
    page.get_by_label("用户 ID").fill("anna")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("row", name="请求日志 1")).to_be_visible()
    open_page(page, "提示词")
    assert buttons(page) == []

    page.goto("/admin/classification/cacheentry/")
    page.locator(".action-select").check()
    page.get_by_label("动作").select_option(label="删除缓存")
    page.locator("button[name=index]").click()
    expect(page.get_by_text("已选中 1 条")).to_be_visible()
    page.get_by_role("button", name="删除缓存").click()
    expect(page.get_by_text("已删除 1 条")).to_be_visible()
    assert not check_cache(client).json()["cached"]

    page.goto("/admin/admin/logentry/")
    expect(page.locator("#result_list tbody tr").first).to_contain_text("lin")
    expect(page.locator("#result_list tbody")).to_contain_text("删除")
