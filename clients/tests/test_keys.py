"""Keys: made, rotated, revoked, switched off; what is kept of them."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import checks
from django.core.management import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.authtoken.models import Token

from clients.directory import LIFETIME_SECONDS, directory
from clients.models import ANONYMOUS, App, AppKey
from tests.support.apps import ask, assert_refused, bearer, make_app, run

pytestmark = pytest.mark.django_db


def test_a_key_is_taken_in_both_headers(client: Client) -> None:
    key = make_app()

    assert ask(client, **{"X-API-Key": key}).status_code == 200
    assert ask(client, **bearer(key)).status_code == 200
    assert ask(client, **bearer(key), **{"X-API-Key": key}).status_code == 200


def test_a_wrong_credential_is_refused_even_though_none_would_do(client: Client) -> None:
    key = make_app()
    other = "A" if key[-1] != "A" else "B"
    for wrong in (
        "",
        " ",
        "x",
        key[:-1],
        key[:-1] + other,
        key.upper(),
        key + "\u00e9",
        "x" * 9000,
    ):
        assert_refused(ask(client, **{"X-API-Key": wrong}))
        assert_refused(ask(client, **bearer(wrong)))
    assert_refused(ask(client, **{"X-API-Key": key, **bearer("wrong")}))

    assert ask(client).status_code == 200


def test_keys_of_two_apps_are_no_credential(client: Client) -> None:
    assert_refused(ask(client, **{"X-API-Key": make_app("one"), **bearer(make_app("two"))}))


def test_a_reload_that_began_before_a_revocation_does_not_bring_the_key_back(
    client: Client,
) -> None:
    key = make_app("camera", "--new-photos-per-day", "5")
    refused: list[Any] = []

    def revoke_meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        if "client_quota_counter" in sql and not refused:  # apps and keys have been read
            refused.append(None)
            run("revoke_key", AppKey.objects.get().prefix)
            refused.append(ask(client, **bearer(key)))
        return execute(sql, *rest)

    with connection.execute_wrapper(revoke_meanwhile):
        directory.refresh()

    assert_refused(refused[-1])
    assert_refused(ask(client, **bearer(key)))


def test_a_proxys_own_authorization_is_none_of_ours(client: Client) -> None:
    assert ask(client, Authorization="Basic dXNlcjpwYXNz").status_code == 200


@pytest.mark.parametrize(
    "address", ["/api/v1/stats/today", "/api/v1/usage", "/api/v1/users/anna/export"]
)
def test_a_wrong_key_is_refused_beside_a_staff_token(
    client: Client, admin_user: User, address: str
) -> None:
    token = {"Authorization": f"Token {Token.objects.create(user=admin_user).key}"}
    key = make_app()

    assert client.get(address, headers=token | {"X-API-Key": key}).status_code == 200
    assert_refused(client.get(address, headers=token | {"X-API-Key": "wrong"}))
    client.force_login(admin_user)
    for header in ("X-API-Key", "Authorization"):
        assert_refused(client.get(address, headers={header: ""}))


def test_what_is_public_stays_so(client: Client) -> None:
    run("create_app", ANONYMOUS, "--off")
    for address in ("/api/v1/health", "/api/v1/live", "/docs", "/redoc", "/api/v1/schema"):
        assert client.get(address, headers={"X-API-Key": "wrong"}).status_code == 200


def test_nobody_without_a_credential_asks_while_anonymous_is_off(client: Client) -> None:
    key = make_app()
    run("create_app", ANONYMOUS, "--off")
    off = ask(client)
    with_key = ask(client, **bearer(key))
    run("create_app", ANONYMOUS, "--on")

    assert_refused(off)
    assert with_key.status_code == 200
    assert ask(client).status_code == 200


def test_an_app_that_is_off_is_refused_with_all_its_keys(client: Client) -> None:
    keys = [make_app(), run("rotate_key", "camera").split()[-1]]
    run("create_app", "camera", "--off")

    for key in keys:
        assert_refused(ask(client, **bearer(key)))


def test_a_revoked_key_stops_at_once_where_it_was_revoked(client: Client) -> None:
    key = make_app()
    assert ask(client, **bearer(key)).status_code == 200
    run("revoke_key", key[:11])

    assert_refused(ask(client, **bearer(key)))
    with pytest.raises(CommandError, match="No key begins like this"):
        run("revoke_key", "pc_nothing_")


def test_older_keys_work_for_the_overlap_and_no_longer(client: Client) -> None:
    with time_machine.travel("2026-03-02T12:00:00+08:00", tick=False) as clock:
        older = make_app()
        newer = run("rotate_key", "camera", "--overlap", "7d").split()[-1]
        clock.shift(timedelta(days=7, seconds=-1))
        both = [ask(client, **bearer(key)).status_code for key in (older, newer)]
        clock.shift(timedelta(seconds=1))
        assert_refused(ask(client, **bearer(older)))
        last = ask(client, **bearer(newer)).status_code

    assert both == [200, 200]
    assert last == 200


def test_rotating_again_gives_a_key_that_ends_no_more_time(client: Client) -> None:
    with time_machine.travel("2026-03-02T12:00:00+08:00", tick=False) as clock:
        first = make_app()
        run("rotate_key", "camera", "--overlap", "1h")
        run("rotate_key", "camera", "--overlap", "30d")
        clock.shift(timedelta(hours=1))

        assert_refused(ask(client, **bearer(first)))


def test_a_known_key_needs_no_query(client: Client) -> None:
    key = make_app()
    ask(client, **bearer(key))
    with CaptureQueriesContext(connection) as captured:
        ask(client, **bearer(key))

    assert not [query for query in captured if "client_" in query["sql"]]


def test_a_change_by_another_process_counts_within_thirty_seconds(client: Client) -> None:
    key = make_app()
    assert ask(client, **bearer(key)).status_code == 200
    AppKey.objects.get_queryset().update(revoked_at=timezone.now())  # sends no signal
    assert ask(client, **bearer(key)).status_code == 200
    directory._fresh_until -= LIFETIME_SECONDS

    assert_refused(ask(client, **bearer(key)))


def test_a_key_made_by_another_process_works_at_once(client: Client) -> None:
    ask(client)
    fresh_until = directory._fresh_until
    key = make_app()
    directory._fresh_until = fresh_until + LIFETIME_SECONDS  # nothing was heard of it

    assert ask(client, **bearer(key)).status_code == 200


def test_only_a_hash_is_kept(client: Client) -> None:
    key = make_app()
    secret = key.rsplit("_", 1)[1]
    rows = [*AppKey.objects.values(), *App.objects.values()]

    assert secret not in str(rows)
    assert AppKey.objects.get().prefix == key[:11]


def test_use_is_counted_roughly(client: Client) -> None:
    key = make_app()
    for _ in range(3):
        ask(client, **bearer(key))
    directory.refresh()
    kept = AppKey.objects.get()

    assert kept.use_count == 3
    assert kept.last_used_at


def test_commands_say_what_there_is(client: Client) -> None:
    key = make_app("camera", "--new-photos-per-day", "5", "--cost-per-day", "1.5", "--trusted")
    listed = {app["app"]: app for app in json.loads(run("list_apps", "--json"))}
    text = run("list_apps")

    assert set(listed) == {ANONYMOUS, "camera"}
    camera = listed["camera"]
    assert (camera["new_photos_per_day"], camera["cost_per_day"]) == (5, 1.5)
    assert (camera["is_trusted"], camera["is_active"]) == (True, True)
    assert [found["prefix"] for found in camera["keys"]] == [key[:11]]
    assert "camera (on, trusted): new photos per day 5, cost per day 1.5" in text
    assert key not in text


def test_a_new_installation_gets_an_app_once(client: Client) -> None:
    key = run("create_first_app").split()[-1]

    assert ask(client, **bearer(key)).status_code == 200
    assert run("create_first_app") == ""


def test_an_installation_with_staff_gets_none(admin_user: User) -> None:
    assert run("create_first_app") == ""
    assert not AppKey.objects.exists()


def test_the_deployment_check_says_when_anybody_can_spend(settings: Settings) -> None:
    settings.LLM_PROVIDER = "aliyun"

    def warned() -> bool:
        found = checks.run_checks(tags=["security"], include_deployment_checks=True)
        return any(message.id == "clients.W001" for message in found)

    before = warned()
    run("create_app", ANONYMOUS, "--new-photos-per-day", "100")

    assert before
    assert not warned()
    run("create_app", ANONYMOUS, "--new-photos-per-day", "none")
    settings.LLM_PROVIDER = "local"  # which costs nothing
    assert not warned()


def test_limits_are_changed_and_taken_away() -> None:
    make_app("camera", "--new-photos-per-day", "5")
    run("create_app", "camera", "--new-photos-per-day", "none", "--requests-per-minute", "9")
    app = App.objects.get(name="camera")

    assert (app.new_photos_per_day, app.requests_per_minute) == (None, 9)
    assert app.keys.count() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("create_app", "camera"),
        ("create_app", "a b"),
        ("create_app", "new", "--new-photos-per-day", "-1"),
        ("create_app", "new", "--cost-per-day", "much"),
        ("rotate_key", "nobody"),
        ("rotate_key", ANONYMOUS),
        ("rotate_key", "camera", "--overlap", "soon"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(arguments: tuple[str, ...]) -> None:
    make_app()
    with pytest.raises(CommandError):
        run(*arguments)

    assert App.objects.count() == 2
    assert AppKey.objects.count() == 1
