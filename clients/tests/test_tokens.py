"""Users' tokens: whose they are, and when they end."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from classification.models import RequestLog
from classification.pipeline.write_behind import buffer
from clients.models import App, AppKey
from tests.support.api import sha256
from tests.support.apps import ask, assert_refused, bearer, make_app, run

pytestmark = pytest.mark.django_db


def get_token(client: Client, key: str, **body: Any) -> Any:
    return client.post(
        "/api/v1/auth/token",
        {"user_id": "anna"} | body,
        content_type="application/json",
        headers=bearer(key),
    )


def token_of(client: Client, key: str, **body: Any) -> str:
    token: str = get_token(client, key, **body).json()["token"]
    return token


def test_a_token_is_for_its_user_whatever_the_request_says(client: Client) -> None:
    key = make_app()
    answer = get_token(client, key, ttl_seconds=600)
    body = answer.json()
    asked = client.get("/api/v1/usage", headers=bearer(body["token"]) | {"X-User-ID": "carl"})

    assert (answer.status_code, body["success"], body["user_id"]) == (200, True, "anna")
    assert set(body) == {"success", "token", "user_id", "expires_at", "request_id", "timestamp"}
    assert "no-store" in answer["Cache-Control"]
    assert asked.json()["data"]["user_id"] == "anna"


@pytest.mark.parametrize("ttl_seconds", [59, 86_401, "soon"])
def test_a_token_lasts_a_minute_to_a_day(client: Client, ttl_seconds: Any) -> None:
    answer = get_token(client, make_app(), ttl_seconds=ttl_seconds)

    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")


@pytest.mark.parametrize("user_id", ["", None, "  "])
def test_a_token_needs_a_user(client: Client, user_id: Any) -> None:
    answer = get_token(client, make_app(), user_id=user_id)

    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")


def test_a_long_user_id_is_kept_in_a_token_as_anywhere(client: Client) -> None:
    key = make_app()
    answer = get_token(client, key, user_id="x" * 65).json()
    by_header = client.get("/api/v1/usage", headers=bearer(key) | {"X-User-ID": "x" * 65})
    by_token = client.get("/api/v1/usage", headers=bearer(answer["token"]))

    assert answer["user_id"] == sha256(b"x" * 65)
    assert by_token.json()["data"]["user_id"] == by_header.json()["data"]["user_id"]
    assert by_token.json()["data"]["user_id"] == answer["user_id"]


def test_a_token_ends_with_its_time(client: Client) -> None:
    with time_machine.travel("2026-03-02T12:00:00+08:00", tick=False) as clock:
        answer = get_token(client, make_app(), ttl_seconds=60).json()
        clock.shift(timedelta(seconds=59))
        before = ask(client, **bearer(answer["token"]))
        clock.shift(timedelta(seconds=1))

        assert answer["expires_at"] == "2026-03-02T12:01:00+08:00"
        assert before.status_code == 200
        assert_refused(ask(client, **bearer(answer["token"])))


def test_a_token_from_a_host_whose_clock_is_ahead_is_good_at_once(client: Client) -> None:
    with time_machine.travel("2026-03-02T12:00:02+08:00", tick=False):
        token = token_of(client, make_app())
    with time_machine.travel("2026-03-02T12:00:00+08:00", tick=False):
        assert ask(client, **bearer(token)).status_code == 200


def test_a_token_ends_with_its_key_and_its_app(client: Client) -> None:
    first, second = make_app("first"), make_app("second")
    tokens = [token_of(client, first), token_of(client, second)]
    assert [ask(client, **bearer(token)).status_code for token in tokens] == [200, 200]
    run("revoke_key", first)
    run("create_app", "second", "--off")

    for token in tokens:
        assert_refused(ask(client, **bearer(token)))


def test_a_token_does_not_outlive_an_older_keys_overlap(client: Client) -> None:
    with time_machine.travel("2026-03-02T12:00:00+08:00", tick=False):
        older = make_app()
        run("rotate_key", "camera", "--overlap", "1h")
        answer = get_token(client, older, ttl_seconds=86_400).json()

    assert answer["expires_at"] == "2026-03-02T13:00:00+08:00"


def test_neither_a_token_nor_nobody_makes_tokens(client: Client) -> None:
    token = token_of(client, make_app())

    assert_refused(get_token(client, token))
    assert_refused(client.post("/api/v1/auth/token", {"user_id": "anna"}))


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_forged_tokens_are_refused(client: Client) -> None:
    right = token_of(client, make_app())
    header, payload, signature = right.split(".")
    prefix = AppKey.objects.get().prefix
    claims = jwt.decode(right, options={"verify_signature": False})
    head = {"alg": "HS256", "typ": "JWT", "kid": prefix}
    secret = "s" * 32
    forged = [
        right[:-2],
        right[: len(right) // 2],
        f"{header}.{payload}.",
        f"{header}.{part(claims | {'sub': 'ben'})}.{signature}",
        f"{part(head | {'alg': 'none'})}.{payload}.",
        f"{part(head | {'alg': 'none'})}.{payload}.{signature}",
        f"{part(head | {'kid': None})}.{payload}.{signature}",
        f"{part(head | {'kid': [1]})}.{payload}.{signature}",
        jwt.encode(claims, secret, "HS256", headers={"kid": prefix}),
        jwt.encode(claims, secret, "HS256", headers={"kid": "pc_00000000"}),
        jwt.encode(claims, "", "none", headers={"kid": prefix}),
        # The digest in the table alone signs nothing.
        jwt.encode(claims, AppKey.objects.get().digest, "HS256", headers={"kid": prefix}),
        "a.b.c",
        "...",
        f"{part(head)}.{'e30' * 500}.x",
    ]

    assert ask(client, **bearer(right)).status_code == 200
    for token in forged:
        assert_refused(ask(client, **bearer(token)))


def test_a_token_of_one_key_does_not_pass_for_another_apps(client: Client) -> None:
    token = token_of(client, make_app("first"))
    _header, payload, signature = token.split(".")
    make_app("second")
    other = AppKey.objects.get(app__name="second").prefix
    moved = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': other})}.{payload}.{signature}"

    assert_refused(ask(client, **bearer(moved)))


def test_tokens_outlast_a_change_of_the_secret_while_the_older_is_listed(
    client: Client, settings: Settings
) -> None:
    token = token_of(client, make_app())
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50
    assert ask(client, **bearer(token)).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []

    assert_refused(ask(client, **bearer(token)))


def test_the_log_names_the_app_and_the_tokens_user(client: Client) -> None:
    token = token_of(client, make_app())
    client.post("/api/v1/classify", {"image": b"no photo", "user_id": "ben"}, headers=bearer(token))
    buffer.flush()

    assert RequestLog.objects.get().app_id == App.objects.get(name="camera").pk
