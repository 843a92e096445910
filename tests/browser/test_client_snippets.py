"""The JavaScript clients that we show, in a real browser."""

import base64

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import wide_only
from tests.support import snippets
from tests.support.dashscope_server import DashScopeServer
from tests.support.likeness import difference
from tests.support.odd_photos import scene

RUN = """async ([code, encoded, base]) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const classify = await eval(`(async () => { ${code}; return classify; })()`);
    return (await classify(new Blob([bytes]), base)).category;
}"""


@wide_only
@pytest.mark.parametrize("place", ["README.md", "README.zh-CN.md", "settings"])
@pytest.mark.parametrize("name", snippets.FILES)
def test_a_client_in_javascript(
    name: str, place: str, stranger: Page, live_server: LiveServer, model: DashScopeServer
) -> None:
    base = f"{live_server.url}/api/v1"
    if place == "settings":
        code = snippets.on_settings_page("javascript", base)
    else:
        code = snippets.in_readme(place, "javascript")
    # A page without a policy on scripts, of the same origin.
    stranger.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    stranger.goto("/api/v1/live")
    encoded = base64.b64encode(snippets.FILES[name]).decode()

    assert [stranger.evaluate(RUN, [code, encoded, base]) for _ in range(2)] == ["pets", "pets"]
    assert len(model.requests) == 1
    expected = snippets.EXPECTED.get(name, scene())
    assert difference(snippets.seen_by_the_model(model), expected) <= 24
