"""An operator finds a person, sees what is kept, and has them forgotten."""

import re

from playwright.sync_api import Page, expect

from classification.models import RequestLog
from privacy import worker
from privacy.models import Erasure
from tests.browser.conftest import wide_only

ANNA = "anna-7f3-" + "w" * 40


@wide_only
def test_a_person_is_forgotten_once_their_id_is_typed_again(page: Page) -> None:
    RequestLog.objects.create(request_id="req_1", user_id=ANNA)
    page.goto("/")
    page.get_by_role("link", name="隐私").click()
    page.get_by_label("用户 ID").fill(ANNA)
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("row", name="请求日志 1")).to_be_visible()
    assert ANNA not in page.url

    page.get_by_label("请再次输入 ID").fill("ben")
    page.get_by_role("button", name="删除", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("未做任何更改")
    assert not Erasure.objects.exists()
    page.get_by_label("请再次输入 ID").fill(ANNA)
    page.get_by_role("button", name="删除", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("正在删除")

    worker.run_all()
    page.reload()
    expect(page.get_by_role("row", name=re.compile("request_log"))).to_contain_text("lin")
    assert not RequestLog.objects.filter(user_id=ANNA).exists()
