"""The test page: a photo's way as an app sends it."""

import base64
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.utils import translation
from playwright.sync_api import FilePayload, JSHandle, Locator, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from classification.errors import ERRORS
from classification.models import CacheEntry, ModelCall
from tests.browser.conftest import PLAIN_HOST, phone_only, wide_only
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.usefixtures("model")


def file(name: str = "cat.jpg", **picture: Any) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": photo(**picture)}


def choose(page: Page, *files: FilePayload) -> Locator:
    """Choose files as a person does, and give the latest card."""
    page.locator("#choose").set_input_files(list(files))
    return page.locator(".photo").first


def transfer(page: Page, data: bytes, kind: str = "image/jpeg") -> JSHandle:
    """What a browser hands over when a file is dropped."""
    return page.evaluate_handle(
        """([text, type]) => {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "dropped", { type }));
            return transfer;
        }""",
        [base64.b64encode(data).decode(), kind],
    )


def test_an_unknown_photo_is_shrunk_and_uploaded_and_then_known(
    page: Page, model: DashScopeServer
) -> None:
    page.goto("/test/")
    card = choose(page, file(size=(1600, 1200)))
    expect(card.locator(".category")).to_have_text("宠物萌照")
    expect(card).to_contain_text("95.0%")
    expect(card).to_contain_text("一只猫")
    expect(card.get_by_text("来自模型")).to_be_visible()
    expect(card).to_contain_text("800 + 40 Token")
    expect(card.locator("[data-request]")).to_contain_text("req_")
    card.get_by_text("模型原始返回").click()
    expect(card.locator("details pre")).to_contain_text('"category": "pets"')

    card = choose(page, file(size=(1600, 1200)))
    expect(card.get_by_text("来自缓存")).to_be_visible()
    expect(card.locator('[data-step="upload"]')).to_have_attribute("data-state", "skipped")
    expect(card).to_contain_text("无需上传")
    assert len(model.requests) == 1


def test_several_photos_can_be_dropped_and_chosen(page: Page) -> None:
    page.goto("/test/")
    # Beside the zone too, where a browser would leave the page for the photo.
    page.locator("footer").dispatch_event("drop", {"dataTransfer": transfer(page, photo(seed=1))})
    choose(page, file("a.jpg", seed=2), file("b.jpg", seed=3))

    expect(page.locator(".photo .category")).to_have_text(["宠物萌照"] * 3)
    expect(page.locator('[data-sum="photos"]')).to_have_text("3")


@wide_only
def test_what_is_no_photo_is_left_out(page: Page) -> None:
    page.goto("/test/")
    dropped = transfer(page, b"%PDF-1.7", "application/pdf")
    page.locator("#drop").dispatch_event("drop", {"dataTransfer": dropped})

    expect(page.locator("#not-photos")).to_be_visible()
    expect(page.locator(".photo")).to_have_count(0)


@wide_only
def test_a_photo_is_pasted_from_the_clipboard(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/test/")
    page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(64, 64);
            canvas.getContext("2d").fillRect(8, 8, 32, 32);
            const photo = await canvas.convertToBlob({ type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": photo })]);
        }"""
    )
    page.keyboard.press("Control+v")

    expect(page.locator(".photo .category")).to_have_text("宠物萌照")


@phone_only
def test_a_phone_takes_a_photo(page: Page) -> None:
    page.goto("/test/")
    take = page.locator("#take")
    expect(page.get_by_text("拍照")).to_be_visible()
    expect(take).to_have_attribute("capture", "environment")
    take.set_input_files(file("camera.jpg"))

    expect(page.locator(".photo .category")).to_have_text("宠物萌照")


@wide_only
def test_over_plain_http_the_server_hashes(
    page: Page, live_server: LiveServer, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    page.goto(f"http://{PLAIN_HOST}:{urlsplit(live_server.url).port}/test/")
    assert not page.evaluate("isSecureContext")
    expect(page.locator("#no-hashing")).to_be_visible()
    card = choose(page, file())

    expect(card.locator(".category")).to_have_text("宠物萌照")
    expect(card.locator('[data-step="ask"]')).to_have_attribute("data-state", "skipped")
    expect(card.get_by_role("link", name="查看或修正这条缓存")).to_be_visible()


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("DataInspectionFailed", "image_rejected"),
        ("InternalError", "model_unavailable"),
        ("hang", "model_timeout"),
    ],
)
@wide_only
def test_a_refusal_and_a_failing_model_are_shown(
    page: Page, model: DashScopeServer, settings: Settings, mode: str, code: str
) -> None:
    settings.LLM_TIMEOUT = 1 if mode == "hang" else 30
    model.script(mode)
    page.goto("/test/")
    card = choose(page, file())

    expect(card.locator("[data-code]")).to_have_text(code)
    with translation.override("zh-hans"):  # whatever the browser's language
        expect(card.locator("[data-error]")).to_have_text(str(ERRORS[code][1]))
    expect(card.locator("[data-request]")).to_contain_text("req_")
    retry = card.get_by_role("button", name="重试")
    if code == "image_rejected":  # which it would be again
        expect(retry).to_have_count(0)
        return
    model.script("ok")
    retry.click()
    expect(card.locator(".category")).to_have_text("宠物萌照")
    expect(card.locator("[data-error]")).to_be_hidden()


@wide_only
def test_what_is_no_image_is_refused(page: Page) -> None:
    page.goto("/test/")
    card = choose(page, {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"nothing"})

    expect(card.locator("[data-code]")).to_have_text("invalid_image")


def test_asking_again_shows_the_difference_before_it_replaces_anything(
    page: Page, model: DashScopeServer
) -> None:
    page.goto("/test/")
    card = choose(page, file())
    expect(card.locator(".category")).to_have_text("宠物萌照")
    model.category = "other"
    card.get_by_role("button", name="跳过缓存，重新识别").click()
    expect(card.locator(".compare .differs")).to_contain_text("宠物萌照")
    expect(card.locator(".compare .differs")).to_contain_text("其它")
    assert CacheEntry.objects.get().category == "pets"
    assert ModelCall.objects.count() == 2

    card.get_by_role("button", name="替换缓存结果").click()
    expect(card.get_by_text("从现在起，应用得到的结果是：其它")).to_be_visible()
    assert CacheEntry.objects.get().category == "other"


@wide_only
def test_the_models_words_are_never_markup(page: Page, model: DashScopeServer) -> None:
    model.description = "<img src=x onerror='attacked = 1'>\u202e" + "w" * 200
    page.goto("/test/")
    card = choose(page, file())
    expect(card.locator("[data-description]")).to_contain_text("<img src=x")
    card.get_by_text("模型原始返回").click()
    expect(card.locator("details pre")).to_contain_text("<img src=x")
    card.get_by_role("button", name="跳过缓存，重新识别").click()
    expect(card.locator(".compare")).to_contain_text("<img src=x")

    assert page.evaluate("typeof attacked") == "undefined"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@wide_only
def test_a_server_that_is_away_and_a_login_that_has_ended_are_told(
    page: Page, faults: list[str]
) -> None:
    page.goto("/test/")
    page.route("**/api/v1/**", lambda route: route.abort())
    card = choose(page, file())
    expect(card.locator("[data-error]")).to_have_text("无法连接服务器。")
    page.unroute("**/api/v1/**")
    card.get_by_role("button", name="重试").click()
    expect(card.locator(".category")).to_have_text("宠物萌照")
    # The details come after the answer, and would tell of the login's end, too.
    expect(card.get_by_text("模型原始返回")).to_be_visible()

    Session.objects.all().delete()
    card.get_by_role("button", name="跳过缓存，重新识别").click()
    expect(card.get_by_text("登录已失效")).to_be_visible()
    faults.clear()  # the browser reports what failed, too
