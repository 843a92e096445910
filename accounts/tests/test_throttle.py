"""Guessing passwords and tokens, in one browser and in many."""

import ipaddress
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.authtoken.models import Token

from accounts.authentication import WRONG_TOKENS
from accounts.models import AttemptCount
from accounts.throttle import ACCOUNT_ATTEMPTS, ADDRESS_ATTEMPTS, DEVICE_ATTEMPTS

pytestmark = pytest.mark.django_db

WRONG = "wrong"
LOGIN = "/admin/login/"
STATS = "/api/v1/stats/errors"
NOW = datetime(2026, 3, 2, 14, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture(autouse=True)
def staff(db: None) -> User:
    return User.objects.create_user("Anna", password="right", is_staff=True)


def log_in(
    client: Client, password: str = WRONG, name: str = "Anna", address: str = "192.0.2.1"
) -> Any:
    return client.post(LOGIN, {"username": name, "password": password}, REMOTE_ADDR=address)


def test_an_account_rests_after_too_many_wrong_passwords_from_anywhere() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        replies = [
            log_in(Client(), address=f"192.0.2.{n}").status_code
            for n in range(ACCOUNT_ATTEMPTS + 1)
        ]
        right = log_in(Client(), "right", address="198.51.100.1")
        clock.shift(timedelta(minutes=15))
        later = log_in(Client(), "right", address="198.51.100.1")

    assert replies == [200] * ACCOUNT_ATTEMPTS + [429]
    assert right.status_code == 429
    assert right["Retry-After"] == str(15 * 60)
    assert "请在 15 分钟后再试" in right.content.decode()
    assert later.status_code == 302


def test_writing_the_name_in_another_way_gets_no_further() -> None:
    for number in range(ACCOUNT_ATTEMPTS):
        log_in(Client(), name=["Anna", "ANNA", " anna"][number % 3])

    assert log_in(Client(), name="aNNa").status_code == 429


@pytest.mark.parametrize("name", ["Ａｎｎａ", "ａｎｎａ", "Anna ", "\u3000Anna", "ⓐnna"])
def test_neither_does_a_name_that_unicode_calls_the_same(name: str) -> None:
    for _ in range(ACCOUNT_ATTEMPTS):
        log_in(Client(), name=name)

    assert log_in(Client(), "right", name=name).status_code == 429
    assert log_in(Client(), "right").status_code == 429


@pytest.mark.mariadb
@pytest.mark.parametrize("name", ["Ánná", "ａｎｎà", "anna", "ÅNNA"])
def test_neither_does_a_name_that_the_database_calls_the_same(name: str) -> None:
    for _ in range(ACCOUNT_ATTEMPTS):
        log_in(Client(), name=name)

    assert log_in(Client(), "right").status_code == 429


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "😀", "ſ" * 200, ""])
def test_names_that_no_account_can_have_are_only_wrong(name: str) -> None:
    assert log_in(Client(), name=name).status_code == 200


def test_an_address_rests_after_too_many_wrong_passwords_for_any_account() -> None:
    replies = [
        log_in(Client(), name=f"user{n}", address=f"2001:db8:1:2::{n:x}").status_code
        for n in range(ADDRESS_ATTEMPTS + 1)
    ]

    assert replies == [200] * ADDRESS_ATTEMPTS + [429]
    assert log_in(Client(), "right", address="2001:db8:1:3::1").status_code == 302


def test_ipv4_addresses_rest_alone_also_where_one_socket_takes_both_kinds() -> None:
    for n in range(ADDRESS_ATTEMPTS):
        log_in(Client(), name=f"user{n}", address="::ffff:192.0.2.1")

    assert log_in(Client(), "right", address="::ffff:192.0.2.1").status_code == 429
    assert log_in(Client(), "right", address="::ffff:192.0.2.2").status_code == 302


def test_a_stranger_cannot_keep_staff_out_of_a_browser_they_know() -> None:
    known = Client()
    log_in(known, "right")
    del known.cookies["sessionid"]
    for _ in range(ADDRESS_ATTEMPTS + 1):
        log_in(Client())

    assert log_in(Client(), "right").status_code == 429
    assert log_in(known, "right").status_code == 302


def test_a_known_browser_can_guess_no_more_than_others() -> None:
    known = Client()
    log_in(known, "right")
    device = known.cookies["device"].value
    replies = []
    for _ in range(DEVICE_ATTEMPTS + 1):
        thief = Client()
        thief.cookies["device"] = device
        replies.append(log_in(thief).status_code)

    assert replies == [200] * DEVICE_ATTEMPTS + [429]
    # For another account it is a browser like any other.
    User.objects.create_user("Boris", password="right", is_staff=True)
    for _ in range(ACCOUNT_ATTEMPTS):
        log_in(Client(), name="Boris")
    stranger = Client()
    stranger.cookies["device"] = device
    assert log_in(stranger, name="Boris", password="right").status_code == 429


def test_a_made_up_device_is_not_known() -> None:
    for _ in range(ACCOUNT_ATTEMPTS):
        log_in(Client())
    liar = Client()
    liar.cookies["device"] = '{"id": "x", "account": "anna"}'

    assert log_in(liar, "right").status_code == 429


def test_logging_in_leaves_nothing_behind() -> None:
    for _ in range(ADDRESS_ATTEMPTS + 1):
        assert log_in(Client(), "right").status_code == 302

    assert list(AttemptCount.objects.filter(attempts__gt=0)) == []


def test_what_a_client_claims_of_its_address_does_not_count(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("127.0.0.1")]
    for number in range(ADDRESS_ATTEMPTS):
        Client().post(
            LOGIN,
            {"username": f"user{number}", "password": "wrong"},
            HTTP_X_FORWARDED_FOR=f"10.9.8.{number}, 203.0.113.5",
        )
    reply = Client().post(
        LOGIN,
        {"username": "Anna", "password": "right"},
        HTTP_X_FORWARDED_FOR="10.0.0.1, 203.0.113.5",
    )

    assert reply.status_code == 429


def test_wrong_tokens_are_slowed_down_and_others_are_not() -> None:
    token = Token.objects.create(user=User.objects.get())

    def ask(key: str, address: str) -> Any:
        return Client().get(STATS, HTTP_AUTHORIZATION=f"Token {key}", REMOTE_ADDR=address)

    right = [ask(token.key, "192.0.2.1").status_code for _ in range(40)]
    wrong = [ask("0" * 40, "192.0.2.1").status_code for _ in range(30)]
    throttled = ask(token.key, "192.0.2.1")

    assert right == [200] * 40
    assert wrong == [401] * 30
    assert throttled.status_code == 429
    assert throttled.json()["error_code"] == "throttled"
    assert int(throttled["Retry-After"]) > 0
    assert ask(token.key, "192.0.2.2").status_code == 200


@pytest.mark.parametrize("address", ["/docs", "/redoc", "/api/v1/schema"])
def test_the_documentation_stays_open_to_a_wrong_token(client: Client, address: str) -> None:
    for _ in range(WRONG_TOKENS):
        client.get(STATS, HTTP_AUTHORIZATION="Token wrong")

    assert client.get(STATS, HTTP_AUTHORIZATION="Token wrong").status_code == 429
    assert client.get(address, HTTP_AUTHORIZATION="Token wrong").status_code == 200


def test_a_clock_that_was_ahead_keeps_nobody_out() -> None:
    with time_machine.travel(NOW + timedelta(hours=8), tick=False):
        for _ in range(ACCOUNT_ATTEMPTS + 1):
            log_in(Client())
        assert log_in(Client(), password="right").status_code == 429
    with time_machine.travel(NOW, tick=False):
        assert log_in(Client(), password="right").status_code == 302
