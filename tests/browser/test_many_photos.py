"""The test page with an album: sent three at a time, summed up, corrected, and left out of the
figures."""

import base64
import csv
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, FilePayload, Page, expect
from pytest_django import Settings

from classification.choices import Billed
from classification.models import CacheEntry, ModelCall, RequestLog
from classification.pipeline.write_behind import buffer
from tests.browser.conftest import wide_only
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.usefixtures("model")
# A folder with a photo, a text and a folder with another photo, as a browser hands it over.
FOLDER = """([first, second]) => {
    const file = (name, text, type) => ({
        isFile: true, name,
        file: (done) => done(new File(
            [Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name, { type },
        )),
    });
    const folder = (name, ...inside) => ({
        isDirectory: true, name,
        createReader: () => ({ readEntries: (done) => done(inside.splice(0)) }),
    });
    DataTransferItem.prototype.webkitGetAsEntry = () => folder(
        "album",
        file("1.jpg", first, "image/jpeg"),
        file("list.txt", "", "text/plain"),
        folder("more", file("2.jpg", second, "image/jpeg")),
    );
    const transfer = new DataTransfer();
    transfer.items.add(new File([], "album"));
    return transfer;
}"""


def album(count: int) -> list[FilePayload]:
    return [
        {"name": f"{number}.jpg", "mimeType": "image/jpeg", "buffer": photo(seed=number)}
        for number in range(1, count + 1)
    ]


def test_fifty_photos_go_in_order_and_are_summed_up(page: Page, tmp_path: Path) -> None:
    page.goto("/test/")
    page.locator("#choose").set_input_files(album(50))
    expect(page.locator('[data-sum="done"]')).to_have_text("50", timeout=60_000)

    expect(page.locator(".photo [data-name]").first).to_have_text("1.jpg")
    expect(page.locator("#tally")).to_contain_text("宠物萌照 50")
    expect(page.locator(".photos")).to_have_class("photos grid")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载 CSV").click()
    download.value.save_as(tmp_path / "photos.csv")
    text = (tmp_path / "photos.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(text.splitlines()))
    assert [row[:3] for row in rows[:2]] == [["文件", "类别", "置信度"], ["1.jpg", "pets", "0.95"]]
    assert len(rows) == 51

    buffer.flush()
    assert ModelCall.objects.filter(billed=Billed.YES).count() == 50  # what it cost is known
    assert not RequestLog.objects.exists()  # and what apps ask is not mixed with it


@wide_only
def test_what_waits_is_stopped_and_sent_later(
    page: Page, model: DashScopeServer, settings: Settings
) -> None:
    settings.LLM_TIMEOUT = 120  # those under way stay so until they are released
    model.script("hold")
    page.goto("/test/")
    page.locator("#choose").set_input_files(album(5))
    expect(page.locator('.photo[data-state="waiting"]')).to_have_count(3)
    page.get_by_role("button", name="停止").click()
    expect(page.locator('.photo[data-state="stopped"]')).to_have_count(2)
    warned: list[str] = []

    def stay(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    with page.expect_event("dialog"):
        page.get_by_role("link", name="看板").click(no_wait_after=True)
    assert warned == ["beforeunload"]
    expect(page.locator(".photo")).to_have_count(5)

    model.released.set()
    page.locator(".photo").last.get_by_role("button", name="重试").click()
    expect(page.locator(".photo .category", has_text="宠物萌照")).to_have_count(4)


@wide_only
def test_a_folder_is_dropped_with_its_folders(page: Page) -> None:
    page.goto("/test/")
    photos = [base64.b64encode(photo(seed=number)).decode() for number in (1, 2)]
    dropped = page.evaluate_handle(FOLDER, photos)
    page.locator("#drop").dispatch_event("drop", {"dataTransfer": dropped})

    expect(page.locator(".photo [data-name]")).to_have_text(["1.jpg", "2.jpg"])
    # The next test sends the same photos: none may be under way still.
    expect(page.locator(".photo .category", has_text="宠物萌照")).to_have_count(2)
    expect(page.locator("#not-photos")).to_have_text("已忽略 1 个非图片文件。")


@wide_only
def test_a_folder_is_chosen(page: Page, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "1.jpg").write_bytes(photo())
    page.goto("/test/")
    page.locator("#choose-folder").set_input_files(tmp_path / "album")

    expect(page.locator(".photo [data-name]")).to_have_text("album/1.jpg")
    expect(page.locator(".photo .category")).to_have_text("宠物萌照")


def test_a_wrong_category_is_put_right_on_its_card(page: Page) -> None:
    page.goto("/test/")
    page.locator("#choose").set_input_files(album(1))
    page.get_by_label("不对？应为：").select_option(label="美食记录")
    expect(page.locator(".photo .category")).to_have_text("美食记录")
    expect(page.locator("#tally")).to_contain_text("美食记录 1")

    entry = CacheEntry.objects.get()
    assert (entry.category, entry.model_category) == ("foods", "pets")
    assert str(entry.corrected_by) == "lin"


@wide_only
def test_what_can_never_succeed_is_not_offered_again(page: Page) -> None:
    page.goto("/test/")
    page.locator("#choose").set_input_files(
        {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"nothing"}
    )
    expect(page.locator("[data-code]")).to_have_text("invalid_image")
    page.locator("#choose").set_input_files(
        {"name": "y.jpg", "mimeType": "image/jpeg", "buffer": b"0" * 11_000_000}
    )
    expect(page.locator("[data-error]").first).to_contain_text("11.0 MB > 10.5 MB")
    expect(page.get_by_role("button", name="重试")).to_have_count(0)
