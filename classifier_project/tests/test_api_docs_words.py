"""The words of Swagger UI and Redoc: those that they have, each once and for all translated."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import translation

from classifier_project.api_docs_words import REDOC, SWAGGER_UI, translate_words

SIDECAR = "drf_spectacular_sidecar"
TOOLS = [
    ("/docs", SWAGGER_UI, f"{SIDECAR}/swagger-ui-dist/swagger-ui-bundle.js"),
    ("/redoc", REDOC, f"{SIDECAR}/redoc/bundles/redoc.standalone.js"),
]
WORDS = re.compile(
    r'<script id="words" type="application/json">(.*?)</script>\s*'
    r'<script src="[^"]*/js/docs_words[^"]*"></script>'
)
LETTERS = re.compile(r"[A-Za-z][\w .:]*\w")


def as_pattern(word: str) -> re.Pattern[str]:
    return re.compile("(.+)".join(map(re.escape, word.split("%s"))))


@pytest.mark.parametrize(("page", "words", "script"), TOOLS)
def test_the_page_has_its_words_in_chinese_and_nothing_in_english(
    client: Client, page: str, words: tuple[str, ...], script: str
) -> None:
    client.cookies["django_language"] = "zh-hans"
    found = WORDS.search(client.get(page).content.decode())
    assert found
    assert set(json.loads(found[1])) == set(words)

    client.cookies["django_language"] = "en"
    text = client.get(page).content.decode()
    assert "docs_words" not in text
    assert 'id="words"' not in text


@pytest.mark.parametrize(("page", "words", "script"), TOOLS)
def test_the_tool_that_is_served_has_the_words(
    page: str, words: tuple[str, ...], script: str
) -> None:
    located = finders.find(script)
    assert located
    source = Path(located).read_text()

    # What varies splits a word, and a plural's s is a part of its own.
    parts = [
        part for word in words for whole in word.split("%s") for part in LETTERS.findall(whole)
    ]
    assert [part for part in parts if part.removesuffix("s") not in source] == []


@pytest.mark.parametrize("words", [SWAGGER_UI, REDOC])
def test_a_translation_is_never_translated_again(words: tuple[str, ...]) -> None:
    with translation.override("zh-hans"):
        translations = translate_words(words)

    assert len(translations) == len(words)
    for english, chinese in translations.items():
        assert chinese.count("%s") == english.count("%s")
        shown = chinese.replace("%s", "data")
        assert [word for word in words if as_pattern(word).fullmatch(shown)] == []
