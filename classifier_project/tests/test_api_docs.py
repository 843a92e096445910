"""The API's pages are public, in the reader's language, and whole without script."""

import json

import pytest
from django.test import Client

PAGES = ["/docs", "/redoc"]


def operations(client: Client, language: str) -> list[tuple[str, str, str]]:
    """(method, path, summary) of each, as the schema has them."""
    schema = json.loads(client.get(f"/api/v1/schema?format=json&lang={language}").content)
    return [
        (method.upper(), path, operation["summary"])
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("language", "way_back"), [("zh-hans", "返回看板"), ("en", "Back to the dashboard")]
)
def test_the_page_lists_every_operation_in_its_language(
    client: Client, page: str, language: str, way_back: str
) -> None:
    client.cookies["django_language"] = language
    text = client.get(page, headers={"accept-language": "fr"}).content.decode()

    assert f'<html lang="{language}">' in text
    assert way_back in text
    assert f"/api/v1/schema?lang={language}" in text
    for method, path, summary in operations(client, language):
        assert f"{method} {path}</code>" in text
        assert f"<h2>{summary}</h2>" in text.replace("&#x27;", "'")
    for detail in ("X-User-ID", "image_hashes", "data.category", "items[].data.confidence"):
        assert f"<code>{detail}</code>" in text
    assert "model_timeout" in text


def test_every_summary_is_translated(client: Client) -> None:
    english = {summary for _method, _path, summary in operations(client, "en")}
    chinese = {summary for _method, _path, summary in operations(client, "zh-hans")}

    assert english.isdisjoint(chinese)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_asks_no_database_and_shows_no_staff_pages(client: Client, page: str) -> None:
    # Without the mark for the database, a query would fail the test.
    client.cookies["sessionid"] = "a" * 32
    text = client.get(page).content.decode()

    assert 'name="language"' in text
    assert "/settings/" not in text


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_page_has_the_theme_that_was_chosen(client: Client, page: str, theme: str) -> None:
    client.cookies["theme"] = theme

    assert f'data-theme="{theme}"' in client.get(page).content.decode()


def test_one_credential_is_enough_wherever_any_is_asked_for(client: Client) -> None:
    schema = json.loads(client.get("/api/v1/schema?format=json").content)
    alternatives = {
        path: [set(one) for one in operation.get("security", [])]
        for path, methods in schema["paths"].items()
        for operation in methods.values()
    }

    # Names within one object would be needed together.
    assert all(len(names) <= 1 for found in alternatives.values() for names in found)
    assert {"appKey"} in alternatives["/api/v1/classify"]
    assert {"bearer"} in alternatives["/api/v1/classify"]


def test_the_file_has_a_plain_name(client: Client) -> None:
    response = client.get("/api/v1/schema")

    assert response.headers["Content-Disposition"] == 'inline; filename="openapi.yaml"'


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("zh-hans", "身份认证信息未提供。"), ("en", "Authentication credentials were not provided.")],
)
def test_every_error_has_an_example_as_it_is_sent(
    client: Client, language: str, sentence: str
) -> None:
    schema = json.loads(client.get(f"/api/v1/schema?format=json&lang={language}").content)
    refusals = [
        (status, answer)
        for methods in schema["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if status.startswith(("4", "5"))
        and answer["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorResponse")
    ]

    for _status, answer in refusals:
        examples = answer["content"]["application/json"]["examples"].values()
        values = [example["value"] for example in examples]
        assert ", ".join(value["error_code"] for value in values) == answer["description"]
        assert all(value["error"] not in ("", "string") for value in values)
    unnamed = next(answer for status, answer in refusals if status == "401")
    assert sentence in json.dumps(unnamed, ensure_ascii=False)
    assert {"401", "403", "404", "415", "429"} <= {status for status, _answer in refusals}


def test_the_limits_of_an_app_are_documented_where_they_apply(client: Client) -> None:
    schema = json.loads(client.get("/api/v1/schema?format=json").content)
    answer = schema["paths"]["/api/v1/classify"]["post"]["responses"]["429"]

    assert answer["description"] == "quota_exceeded, throttled"


def test_the_credentials_are_described_in_the_readers_language(client: Client) -> None:
    schema = json.loads(client.get("/api/v1/schema?format=json&lang=zh-hans").content)

    assert schema["components"]["securitySchemes"]["staffToken"]["description"] == (
        "工作人员令牌，前面加 Token 或 Bearer。"
    )
