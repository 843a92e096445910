"""The wall while the service's wire to its database is cut, and after that."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.dashscope_server import DashScopeServer
from tests.support.proxy import Proxy
from tests.support.servers import ScratchDatabase, manage, running_server
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.mariadb, pytest.mark.timeout(240)]

PASSWORD = "a long password"
REFRESH = "htmx.trigger('#refresh', 'refresh')"


def log_in(page: Page) -> None:
    page.goto("/?wall")
    page.get_by_label("用户名").fill("admin")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.locator(".chart canvas")).to_have_count(2)


def test_the_wall_is_an_alarm_while_the_database_is_cut_off(
    browser: Browser, database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    manage(database, "create_first_staff", DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    port = urlsplit(database.url).port or 3306
    with Proxy(port) as wire:
        behind = ScratchDatabase(database.url.replace(f":{port}/", f":{wire.port}/"))
        # Debugging, static files are served from where they are.
        with running_server(behind, dashscope, WEB_WORKERS="1", DEBUG="true") as server:
            page = browser.new_page(base_url=f"http://{server.address}", locale="zh-CN")
            log_in(page)
            state, alarm = page.locator("#state"), page.locator("#not-refreshed .headline")
            expect(state).to_be_visible()
            wire.close()
            page.evaluate(REFRESH)

            expect(alarm).to_be_visible()
            expect(alarm).to_contain_text("无法读取数据")
            expect(state).to_be_hidden()
            expect(page.locator(".state.good:visible")).to_have_count(0)
            wire.open()
            wait_until(lambda: server.health()["database"] == "connected", seconds=60)
            page.evaluate(REFRESH)

            # If a lost connection fails once more, the page asks again by itself.
            expect(alarm).to_be_hidden(timeout=60_000)
            expect(state).to_be_visible()
            page.close()
