"""The prompt page: draft, trial, publish, restore."""

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from classification.default_prompt import DEFAULT_PROMPT
from classification.models import CacheEntry, ModelCall, PromptVersion
from tests.browser.conftest import wide_only
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.usefixtures("model")

DRAFT = DEFAULT_PROMPT.replace("图片分类助手", "照片分类专家")


def write_draft(page: Page, text: str) -> None:
    page.goto("/prompt/")
    page.get_by_label("提示词", exact=True).fill(text)
    page.get_by_role("button", name="检查并对比").click()


@wide_only
def test_a_trial_takes_eight_photos_and_shows_what_differs(
    page: Page, model: DashScopeServer
) -> None:
    write_draft(page, DRAFT)
    photos: list[FilePayload] = [
        {"name": f"{seed}.jpg", "mimeType": "image/jpeg", "buffer": photo(seed=seed)}
        for seed in range(9)
    ]
    model.script("ok", "DataInspectionFailed", "ok")
    page.locator("#choose").set_input_files(photos)
    expect(page.locator("#too-many")).to_be_visible()
    expect(page.locator("#trials .pair")).to_have_count(8)

    expect(page.locator("#trials .pair").first).to_contain_text("内容审核拒绝了这张照片")
    assert not CacheEntry.objects.exists()
    page.get_by_role("button", name="放弃草稿").click()
    expect(page.get_by_label("提示词", exact=True)).to_have_value(DEFAULT_PROMPT)


@wide_only
def test_a_draft_without_a_key_or_the_word_json_goes_no_further(page: Page) -> None:
    write_draft(page, DRAFT.replace("idcard", "id").replace("JSON", "对象"))

    expect(page.locator(".errorlist")).to_contain_text("idcard（证件照）")
    expect(page.locator(".errorlist")).to_contain_text("JSON")
    assert PromptVersion.objects.count() == 1


def test_a_draft_is_tried_published_and_taken_back(page: Page, model: DashScopeServer) -> None:
    CacheEntry.objects.create(
        image_hash="a" * 64, category="pets", confidence=1, prompt_version=1, cost="0.02"
    )
    write_draft(page, DRAFT)
    expect(page.locator(".differences ins")).to_have_text(["照", "专家"])
    page.locator("#choose").set_input_files(
        {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    expect(page.locator("#trials .category")).to_have_text(["宠物萌照"] * 2)
    assert ModelCall.objects.count() == 2
    assert CacheEntry.objects.count() == 1

    expect(page.get_by_text("¥0.0100")).to_be_visible()
    page.get_by_label("旧结果立即失效").check()
    page.get_by_label("仍然发布").check()
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_text("第 2 版已生效")).to_be_visible()
    published = PromptVersion.objects.current()
    assert (published.text, published.accepted_from) == (DRAFT, 2)
    assert published.author
    assert published.author.get_username() == "lin"

    page.get_by_role("link", name="v1", exact=True).click()
    page.get_by_role("button", name="恢复 v1").click()
    page.get_by_label("仍然发布").check()
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_text("恢复自 v1")).to_be_visible()
    restored = PromptVersion.objects.current()
    assert (restored.text, restored.restored_from) == (DEFAULT_PROMPT, 1)


@wide_only
def test_what_is_written_outlives_a_session_a_language_and_a_link(page: Page) -> None:
    page.goto("/prompt/")
    page.get_by_label("提示词", exact=True).fill(DRAFT)
    page.get_by_role("link", name="看板", exact=True).click()
    expect(page).to_have_url("/")
    page.goto("/prompt/")
    expect(page.locator("textarea")).to_have_value(DRAFT)
    page.get_by_role("button", name="lin").click()
    page.get_by_role("button", name="English").click()
    expect(page.locator("textarea")).to_have_value(DRAFT)

    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Check and compare").click()
    page.locator("#id_username").fill("lin")
    page.locator("#id_password").fill("a long password")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#draft-kept")).to_be_visible()
    expect(page.locator("textarea")).to_have_value(DRAFT)
    page.get_by_role("button", name="Check and compare").click()
    page.get_by_role("button", name="Discard draft").click()
    expect(page.locator("#draft-kept")).to_be_hidden()


@wide_only
def test_what_is_written_before_the_script_comes_is_kept(page: Page) -> None:
    page.goto("/prompt/")
    text = page.get_by_label("提示词", exact=True)
    text.fill("An older draft, which was left here.")

    def write_first(route: Route) -> None:
        text.fill(DRAFT)
        route.continue_()

    page.route("**/js/draft.js", write_first)
    page.goto("/prompt/")
    expect(text).to_have_value(DRAFT)

    page.unroute("**/js/draft.js")
    page.reload()
    expect(text).to_have_value(DRAFT)
