"""On the Chinese page Swagger UI and Redoc have no English word left; the English page has its own
untouched."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from classifier_project.api_docs_words import REDOC, SWAGGER_UI
from tests.browser.conftest import phone_only

LETTERS = re.compile(r"[A-Za-z]\w*[A-Za-z]")
# Names that are the same in every language, beside those of the schema.
NAMES = {"GET", "POST", "DELETE", "get", "post", "del", "OAS", "Curl", "Redocly", "Bearer", "http"}
NAMES |= {"Cookie", "HTTP", "null", "any", "number", "strings", "objects", "url", "cURL", "SHA"}
SHOWN = """() => {
    const texts = [];
    const walker = document.createTreeWalker(document.getElementById("content"), 4);
    while (walker.nextNode()) {
        const within = walker.currentNode.parentElement;
        if (!within.closest("pre, code, textarea, script, style")) {
            texts.push(walker.currentNode.nodeValue.trim());
        }
    }
    for (const element of document.querySelectorAll("#content *")) {
        for (const name of ["title", "placeholder", "aria-label"]) {
            texts.push(element.getAttribute(name) ?? "");
        }
        for (const place of ["::before", "::after"]) {
            texts.push(getComputedStyle(element, place).content.replace(/^(none|normal)$/, ""));
        }
    }
    return texts;
}"""


def english_left(page: Page, words: tuple[str, ...]) -> set[str]:
    """The texts, but addresses, with a word that the schema has not, and names in no language."""
    schema = page.request.get("/api/v1/schema?format=json&lang=zh-hans").text()
    names = NAMES | set(LETTERS.findall(json.dumps(json.loads(schema), ensure_ascii=False)))
    return {
        text
        for text in page.evaluate(SHOWN)
        if "/" not in text and (text in words or set(LETTERS.findall(text)) - names)
    }


def open_operation(page: Page, name: str) -> Any:
    operation = page.locator(f".opblock[id$='-{name}']")
    operation.locator(".opblock-control-arrow").click()
    operation.locator(".try-out__btn").click()
    operation.locator(".execute").click()
    return operation


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_swagger_ui_is_chinese(stranger: Page, transactional_db: None, scheme: Any) -> None:
    stranger.emulate_media(color_scheme=scheme)
    stranger.goto("/docs")
    asked = open_operation(stranger, "check_cache")
    expect(asked.get_by_role("heading", name="响应体")).to_be_visible()
    assert '"必填"' in stranger.evaluate(SHOWN)
    asked.get_by_role("tab", name="结构").last.click()
    refused = open_operation(stranger, "export_user")
    expect(refused.get_by_text("user_id：必填项未填写。")).to_be_visible()
    assert english_left(stranger, SWAGGER_UI) == set()

    # What the schema says and what a person writes stay, whatever the words are.
    expect(asked.locator(".parameter__name", has_text="X-User-ID")).to_be_visible()
    asked.locator("textarea").first.fill("Try it out")
    expect(asked.locator("textarea").first).to_have_value("Try it out")

    stranger.locator(".scheme-container .authorize").click()
    dialog = stranger.locator(".modal-ux")
    dialog.get_by_role("textbox").first.fill("a key")
    dialog.get_by_role("button", name="使用该凭证").first.click()
    expect(dialog.get_by_text("凭证已填写")).to_be_visible()
    assert english_left(stranger, SWAGGER_UI) == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_redoc_is_chinese(stranger: Page, scheme: Any) -> None:
    stranger.emulate_media(color_scheme=scheme)
    stranger.goto("/redoc")
    asked = stranger.locator("[id='tag/classify/operation/check_cache']")
    for button in asked.locator("button[aria-expanded=false]").all():
        button.click()
    asked.get_by_text("凭证：").click()
    expect(asked.get_by_text("HTTP 认证方案：")).to_be_visible()
    asked.get_by_role("tab").last.click()
    assert english_left(stranger, REDOC) == set()


@phone_only
def test_the_english_page_keeps_the_tools_words(stranger: Page) -> None:
    stranger.goto("/docs")
    stranger.get_by_role("button", name="English").click()
    open_operation(stranger, "check_cache")
    shown = stranger.evaluate(SHOWN)
    assert {"Parameters", "Cancel", "Execute", "Schema", "Media type"} <= set(shown)
    stranger.get_by_role("link", name="Read it").click()
    expect(stranger.get_by_placeholder("Search...")).to_be_attached()
    shown = stranger.evaluate(SHOWN)
    assert {"Authorizations:", "Response Schema:", "Content type", "Copy"} & set(shown)
