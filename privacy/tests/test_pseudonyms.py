"""USER_IDS and IP_ADDRESSES: what is never stored need not be deleted."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django import Settings

from classification.models import DeclaredHash, RequestLog
from classification.pipeline.write_behind import buffer
from clients.models import QuotaCounter
from stats.rollup.chunks import catch_up
from tests.support.api import check_cache, make_entry, sha256, upload
from tests.support.apps import bearer, make_app
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db

ADDRESS = "203.0.113.77"
ORIGINAL = "0" * 63 + "1"


@pytest.fixture
def staff() -> Client:
    asking = Client()
    asking.force_login(User.objects.create_superuser("lin"))
    return asking


def everything() -> str:
    """Every value of every table."""
    with connection.cursor() as cursor:
        values = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            values.append(f"{table}: {cursor.fetchall()}")
    return "\n".join(values)


def figures(staff: Client) -> Any:
    today = staff.get("/api/v1/stats/today").json()["data"]
    top = staff.get("/api/v1/stats/users/top").json()["data"]
    counts = [(row["request_count"], row["cache_hits"]) for row in top]
    return today["unique_users"], today["unique_ips"], counts


def ask(client: Client, user: str, address: str) -> None:
    assert client.post(
        "/api/v1/classify/check-cache",
        {"image_hash": "ab" * 32, "user_id": user},
        content_type="application/json",
        REMOTE_ADDR=address,
    ).json()["cached"]


def ask_as_three(client: Client) -> None:
    make_entry()
    for user, address in [("anna", ADDRESS), ("ben", "2001:db8::1"), ("anna", ADDRESS)]:
        ask(client, user, address)
    ask(client, "Anna", ADDRESS)
    buffer.flush()


def test_hashed_users_and_addresses_are_counted_exactly(
    client: Client, staff: Client, settings: Settings
) -> None:
    settings.USER_IDS = settings.IP_ADDRESSES = "hash"
    ask_as_three(client)

    assert figures(staff) == (3, 2, [(2, 2), (1, 1), (1, 1)])
    assert len({row.user_id for row in RequestLog.objects.all()}) == 3
    assert not any(word in everything() for word in ("anna", "ben", "Anna", ADDRESS, "2001:db8"))
    list(catch_up())
    assert figures(staff) == (3, 2, [(2, 2), (1, 1), (1, 1)])


def test_a_hash_cannot_be_told_without_the_secret(client: Client, settings: Settings) -> None:
    settings.USER_IDS = settings.IP_ADDRESSES = "hash"
    make_entry()
    ask(client, "anna", ADDRESS)
    settings.SECRET_KEY = "another" * 8
    ask(client, "anna", ADDRESS)
    buffer.flush()
    first, second = RequestLog.objects.order_by("pk")

    assert first.user_id != second.user_id
    assert first.ip_address != second.ip_address
    assert sha256(b"anna") not in (first.user_id, second.user_id)


def test_dropped_users_and_addresses_are_nowhere(
    client: Client, staff: Client, settings: Settings
) -> None:
    settings.USER_IDS = settings.IP_ADDRESSES = "drop"
    ask_as_three(client)
    list(catch_up())
    page = staff.get("/").text

    assert figures(staff) == (0, 0, [])
    assert set(RequestLog.objects.values_list("user_id", "ip_address")) == {(None, None)}
    assert page.count("不统计用户（USER_IDS=drop）") == 2
    assert "不统计用户" not in _page_with_users(staff, settings)


def _page_with_users(staff: Client, settings: Settings) -> str:
    settings.USER_IDS = "keep"
    return str(staff.get("/").text)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        (ADDRESS, "203.0.113.0"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("2001:db8:12:3456::1", "2001:db8:12::"),
        ("fe80::1%eth0", "fe80::"),
        ("a-socket", None),
    ],
)
def test_truncated_addresses_are_networks(
    client: Client, settings: Settings, address: str, kept: str | None
) -> None:
    settings.IP_ADDRESSES = "truncate"
    make_entry()
    ask(client, "anna", address)
    buffer.flush()

    assert RequestLog.objects.get().ip_address == kept


@pytest.mark.parametrize("how", ["hash", "drop"])
def test_the_limits_of_users_and_addresses_hold(
    client: Client, model: DashScopeServer, settings: Settings, how: str
) -> None:
    settings.USER_IDS = settings.IP_ADDRESSES = how
    limits = ("--user-new-photos-per-day", "1", "--address-new-photos-per-day", "1")
    key = bearer(make_app("camera", *limits))
    statuses = [
        upload(client, photo(seed=seed), headers=key, **fields).status_code
        for seed, fields in enumerate(
            [{"user_id": "anna"}, {"user_id": "anna"}, {"user_id": "ben"}, {}, {}]
        )
    ]

    assert statuses == [200, 429, 200, 200, 429]
    used = client.get("/api/v1/usage", headers=key | {"X-User-ID": "anna"}).json()["data"]
    assert (used["user_id"], used["user_new_photos"]) == ("anna", {"used": 1, "limit": 1})
    subjects = set(QuotaCounter.objects.values_list("subject", flat=True))
    assert subjects.isdisjoint({"anna", sha256(b"anna"), "127.0.0.1", sha256(b"127.0.0.1")})
    buffer.flush()
    assert subjects.isdisjoint(RequestLog.objects.values_list("user_id", flat=True))


def test_hashed_users_are_answered_by_the_hashes_they_declared(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.USER_IDS = "hash"
    assert upload(client, photo(), image_hash=ORIGINAL, user_id="anna").status_code == 200

    assert check_cache(client, ORIGINAL, user_id="anna").json()["cached"]
    assert not check_cache(client, ORIGINAL, user_id="ben").json()["cached"]
    assert DeclaredHash.objects.get().user_id not in ("anna", sha256(b"anna"))


def test_whoever_is_not_kept_declares_nothing(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.USER_IDS = "drop"
    upload(client, photo(), image_hash=ORIGINAL, user_id="anna")

    assert not DeclaredHash.objects.exists()
    assert not check_cache(client, ORIGINAL, user_id="anna").json()["cached"]
