import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from classification.models import RequestLog
from classification.pipeline.write_behind import buffer
from core.client_address import client_address

CHECK = "/api/v1/classify/check-cache"


def assert_refusal(response: Any, status: int, code: str) -> None:
    body = response.json()

    assert (response.status_code, body["error_code"], body["success"]) == (status, code, False)
    assert set(body) == {"success", "error", "error_code", "request_id"}
    assert body["error"]
    assert response["X-Request-ID"] == body["request_id"]


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', "null", '{"image_hash": "\\ud800"}'])
def test_a_broken_body_is_refused(client: Client, body: str) -> None:
    response = client.post(CHECK, body, "application/json")

    assert response.status_code == 400
    assert response.json()["error_code"] in {"invalid_request", "invalid_hash"}


def test_another_media_type_is_refused(client: Client) -> None:
    assert_refusal(client.post(CHECK, {"image_hash": "0" * 64}), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/classify/", "/api/"])
def test_an_unknown_address_is_refused(client: Client, path: str) -> None:
    assert_refusal(client.get(path), 404, "not_found")


def test_another_method_is_refused(client: Client) -> None:
    assert_refusal(client.get(CHECK), 405, "method_not_allowed")


def test_a_long_json_body_is_refused_unread(client: Client) -> None:
    body = json.dumps({"image_hash": "0" * 100_000})

    assert_refusal(client.post(CHECK, body, "application/json"), 400, "invalid_request")


def test_a_user_id_that_no_table_takes_is_refused(client: Client) -> None:
    body = json.dumps({"image_hash": "0" * 64, "user_id": "a\x00b"})

    assert_refusal(client.post(CHECK, body, "application/json"), 400, "invalid_request")


def test_errors_are_sentences_in_the_clients_language(client: Client) -> None:
    responses = [
        client.get("/api/v1/nothing", headers={"Accept-Language": language})
        for language in ("zh-hans", "en")
    ]

    assert responses[0].json()["error"] != responses[1].json()["error"]


@pytest.mark.django_db
def test_an_upload_without_a_photo_is_refused_and_logged(client: Client) -> None:
    assert_refusal(client.post("/api/v1/classify", {}), 400, "invalid_request")
    buffer.flush()
    row = RequestLog.objects.get()

    assert (row.outcome, row.category, row.from_cache) == ("invalid_request", "", False)


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "expected"),
    [
        ("203.0.113.9", "198.51.100.1", "", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "10.0.0.0/8", "198.51.100.1"),
        ("203.0.113.9", "198.51.100.1", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", "nonsense", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:50321", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::7]:50321", "10.0.0.0/8", "2001:db8::7"),
        ("10.0.0.1", "[2001:db8::7], 10.0.0.2:443", "10.0.0.0/8", "2001:db8::7"),
        ("10.0.0.1", "fe80::7%eth0", "10.0.0.0/8", "fe80::7"),
        ("10.0.0.1", "[fe80::7%25eth0]:50321", "10.0.0.0/8", "fe80::7"),
        ("10.0.0.1", "198.51.100.1:x:y", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.0/8", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::1", "10.0.0.0/8", "2001:db8::1"),
    ],
)
def test_forwarded_addresses_are_believed_only_from_trusted_proxies(
    settings: Settings, remote: str, forwarded: str, trusted: str, expected: str
) -> None:
    import ipaddress

    settings.TRUSTED_PROXIES = [ipaddress.ip_network(n) for n in trusted.split(",") if n]
    meta = {"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}

    assert client_address(meta) == expected


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/api/v1/schema"])
def test_the_documentation_is_served_from_this_machine(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert b"//cdn" not in response.content
