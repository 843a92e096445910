"""The test page: a photo's way as an app sends it."""

import base64
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from classification.models import CacheEntry, ModelCall
from classification.tests.dashscope_server import DashScopeServer
from classification.tests.pictures import photo

pytestmark = pytest.mark.usefixtures("model")


def file(name: str = "cat.jpg", **picture: Any) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": photo(**picture)}


def choose(page: Page, *files: FilePayload) -> Locator:
    """Choose files as a person does, and give the latest card."""
    page.locator("#choose").set_input_files(list(files))
    return page.locator(".photo").first


def drop(page: Page, data: bytes) -> None:
    transfer = page.evaluate_handle(
        """(text) => {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "dropped.jpg", { type: "image/jpeg" }));
            return transfer;
        }""",
        base64.b64encode(data).decode(),
    )
    page.locator("#drop").dispatch_event("drop", {"dataTransfer": transfer})


def test_an_unknown_photo_is_shrunk_and_uploaded_and_then_known(
    page: Page, model: DashScopeServer
) -> None:
    page.goto("/test/")
    card = choose(page, file(size=(1600, 1200)))
    expect(card.locator(".category")).to_have_text("宠物萌照")
    expect(card).to_contain_text("95.0%")
    expect(card).to_contain_text("一只猫")
    expect(card.get_by_text("来自模型")).to_be_visible()
    expect(card).to_contain_text("800 + 40 词元")
    expect(card.locator("[data-request]")).to_contain_text("req_")
    card.get_by_text("模型原文").click()
    expect(card.locator("details pre")).to_contain_text('"category": "pets"')

    card = choose(page, file(size=(1600, 1200)))
    expect(card.get_by_text("来自缓存")).to_be_visible()
    expect(card.locator('[data-step="upload"]')).to_have_attribute("data-state", "skipped")
    expect(card).to_contain_text("无需上传")
    assert len(model.requests) == 1


def test_several_photos_can_be_dropped_and_chosen(page: Page, model: DashScopeServer) -> None:
    page.goto("/test/")
    drop(page, photo(seed=1))
    choose(page, file("a.jpg", seed=2), file("b.jpg", seed=3))

    expect(page.locator(".photo .category")).to_have_text(["宠物萌照"] * 3)
    expect(page.locator('[data-sum="photos"]')).to_have_text("3")


def test_without_hashing_in_the_browser_the_server_hashes(
    page: Page, model: DashScopeServer
) -> None:
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page.goto("/test/")
    expect(page.locator("#no-hashing")).to_be_visible()
    card = choose(page, file())

    expect(card.locator(".category")).to_have_text("宠物萌照")
    expect(card.locator('[data-step="ask"]')).to_have_attribute("data-state", "skipped")


@pytest.mark.parametrize(
    ("mode", "code"),
    [("DataInspectionFailed", "image_rejected"), ("InternalError", "model_unavailable")],
)
def test_a_refusal_and_a_failing_model_are_shown(
    page: Page, model: DashScopeServer, mode: str, code: str
) -> None:
    model.script(mode)
    page.goto("/test/")
    card = choose(page, file())

    expect(card.locator("[data-code]")).to_have_text(code)
    expect(card.locator("[data-request]")).to_contain_text("req_")
    expect(card.get_by_role("button", name="重试")).to_be_visible()


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
    card.get_by_role("button", name="绕过缓存，重新询问").click()
    expect(card.locator(".compare .differs")).to_contain_text("宠物萌照")
    expect(card.locator(".compare .differs")).to_contain_text("其它")
    assert CacheEntry.objects.get().category == "pets"
    assert ModelCall.objects.count() == 2

    card.get_by_role("button", name="替换缓存结果").click()
    expect(card.get_by_text("从现在起，客户端得到的结果是：其它")).to_be_visible()
    assert CacheEntry.objects.get().category == "other"
