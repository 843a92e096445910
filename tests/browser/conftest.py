"""A real Chromium on a real server: what the browser tests begin with."""

import os
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

# The shell is the same engine without the browser's own windows: half of the work.
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))),
    None,
)
# A name of this machine that browsers do not trust as they trust localhost.
PLAIN_HOST = "photos.test"
# The browser is to ask nobody but the server under test.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1",
]
PATIENCE_MS = 20_000
LOOKS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
# For tests of what is the same on every screen.
wide_only = pytest.mark.parametrize("look", [LOOKS["wide"]], ids=["wide"])
phone_only = pytest.mark.parametrize("look", [LOOKS["phone"]], ids=["phone"])
without_script = pytest.mark.parametrize(
    "look", [LOOKS["wide"] | {"java_script_enabled": False}], ids=["no script"]
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        skip = pytest.mark.skip(reason="needs Chromium: apt-get install chromium-headless-shell")
        for item in items:
            if "/browser/" in str(item.path):
                item.add_marker(skip)


# Of the package, not the session: tests elsewhere must see the environment as a server does.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Playwright's loop runs in the test's thread, where Django then takes the ORM for misplaced.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def staff(transactional_db: None) -> User:
    return User.objects.create_superuser("lin", password="a long password")


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The size of the screen; each test runs with each."""
    return LOOKS[request.param]


@pytest.fixture
def faults() -> list[str]:
    """The errors that the browser reported so far, and the foreign hosts that it asked."""
    return []


@pytest.fixture
def stranger(
    browser: Browser, live_server: LiveServer, look: dict[str, Any], faults: list[str]
) -> Iterator[Page]:
    """A page of somebody who is not logged in; what goes wrong in it fails the test."""
    context = browser.new_context(base_url=live_server.url, locale="en-US", **look)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    port = urlsplit(live_server.url).port

    def on_console(message: ConsoleMessage) -> None:
        # The API's refusals are answers, which Chromium reports as errors all the same; and what
        # has no address is a test's own script.
        address = message.location["url"]
        if message.type == "error" and address and "/api/v1/classify" not in address:
            faults.append(f"{message.text} {message.location}")

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        is_own = address.hostname in ("localhost", PLAIN_HOST) and address.port == port
        if address.scheme.startswith("http") and not is_own:
            faults.append(f"asked {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", on_request)
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def page(stranger: Page, staff: User, live_server: LiveServer) -> Page:
    """A page of somebody of the staff."""
    client = Client()
    client.force_login(staff)
    session = client.cookies["sessionid"].value
    port = urlsplit(live_server.url).port
    for host in ("localhost", PLAIN_HOST):
        address = f"http://{host}:{port}"
        stranger.context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    return stranger
