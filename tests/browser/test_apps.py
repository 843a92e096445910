"""An operator makes an app, watches its use, limits it and revokes its key; a viewer does not."""

import re

from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from playwright.sync_api import Page, expect

from clients.models import App, AppKey
from tests.support.apps import ask, assert_refused, bearer
from tests.support.pictures import photo


def test_an_operator_makes_limits_watches_and_revokes(page: Page, client: Client) -> None:
    page.goto("/apps/")
    page.get_by_role("link", name="新建应用").click()
    page.get_by_label("名称").fill("camera")
    page.get_by_role("spinbutton", name="每日新照片数:", exact=True).fill("7")
    page.get_by_role("button", name="保存", exact=True).click()
    key = page.get_by_label("应用密钥").input_value()
    assert re.fullmatch(r"pc_[0-9a-z]{8}_[0-9A-Za-z]{40}", key)

    image = SimpleUploadedFile("p.jpg", photo())
    assert client.post("/api/v1/classify", {"image": image}, headers=bearer(key)).status_code == 200
    page.goto("/apps/")
    expect(page.get_by_text("6 / 7 张新照片")).to_be_visible()
    page.get_by_role("link", name="camera").click()
    expect(page.get_by_text("6 / 7 张新照片")).to_be_visible()

    page.get_by_role("link", name="限额与密钥").click()
    expect(page.get_by_text(key[:11])).to_be_visible()
    page.get_by_role("spinbutton", name="每日新照片数:", exact=True).fill("1")
    page.get_by_role("button", name="保存", exact=True).click()
    image = SimpleUploadedFile("p.jpg", photo(seed=2))
    over = client.post("/api/v1/classify", {"image": image}, headers=bearer(key))
    assert (over.status_code, over.json()["error_code"]) == (429, "quota_exceeded")

    page.locator("#result_list").get_by_role("link", name="camera").click()
    page.get_by_role("link", name="吊销").click()
    page.get_by_role("button", name="吊销").click()
    expect(page.locator(".messagelist")).to_contain_text("已吊销")
    assert_refused(ask(client, **bearer(key)))


def test_a_viewer_sees_apps_and_no_way_to_change_them(page: Page, staff: User) -> None:
    AppKey.objects.issue(App.objects.create(name="camera"))
    staff.is_superuser = False
    staff.save()
    staff.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    page.goto("/apps/")
    expect(page.get_by_role("link", name="新建应用")).to_have_count(0)
    page.get_by_role("link", name="camera").click()
    page.get_by_role("link", name="限额与密钥").click()

    expect(page.get_by_text("从未使用")).to_be_visible()
    for way in ("轮换密钥", "吊销"):
        expect(page.get_by_role("link", name=way)).to_have_count(0)
    expect(page.get_by_role("button", name="保存")).to_have_count(0)
    expect(page.get_by_role("spinbutton")).to_have_count(0)
