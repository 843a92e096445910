"""`POST /classify/feedback`: who votes, what is kept of it, and what it changes: no answer."""

from collections import Counter
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.test import Client
from pytest_django import Settings

from classification.models import CacheEntry, DeclaredHash
from clients.models import ANONYMOUS_ID, App
from quality.models import DayAgreement, Review, Vote
from tests.support.api import HASH, check_cache, make_entry
from tests.support.apps import assert_refused, bearer, make_app
from tests.support.votes import token_of, vote
from tests.support.waiting import at_once

pytestmark = pytest.mark.django_db

ORIGINAL = "0" * 63 + "1"
DAY = "2026-11-25T12:00:00+08:00"
NEXT_DAY = "2026-11-26T12:00:00+08:00"


def sums(**which: Any) -> tuple[int, int]:
    """The votes that count, and how many agree with the model."""
    rows = DayAgreement.objects.filter(**which).values_list("votes", "agreeing")
    return sum(votes for votes, _ in rows), sum(agreeing for _, agreeing in rows)


def error_of(response: Any) -> tuple[int, str]:
    assert response.json()["success"] is False
    return response.status_code, response.json()["error_code"]


@time_machine.travel(DAY, tick=False)
def test_a_vote_is_kept_with_the_answer_of_that_time(client: Client) -> None:
    key = make_app("camera")
    make_entry()
    answer = vote(client, "foods", HASH.upper(), headers=token_of(client, key, "anna"))

    assert (answer.status_code, answer.json()["success"]) == (202, True)
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    cast = Vote.objects.get()
    assert (cast.image_hash, cast.category, cast.voter) == (HASH, "foods", "token")
    assert (cast.user_id, cast.ip_address) == ("anna", None)
    assert cast.app_id == App.objects.get(name="camera").pk
    assert (cast.answer, cast.confidence, cast.day) == ("pets", Decimal("0.9"), date(2026, 11, 25))
    assert (cast.model, cast.prompt_version) == ("qwen-vl-plus", 1)


def test_a_vote_changes_no_answer(client: Client) -> None:
    make_entry()
    before = check_cache(client).json()["data"]
    for number in range(20):
        vote(client, "foods", user_id=f"u{number}")

    assert check_cache(client).json()["data"] == before
    assert CacheEntry.objects.get().corrected_at is None


def test_of_a_users_votes_the_last_one_counts(client: Client) -> None:
    make_entry()
    for category in ("foods", "other", "pets"):
        assert vote(client, category, user_id="anna").status_code == 202
    vote(client, "foods", user_id="Anna")  # is somebody else

    assert Vote.objects.count() == 2
    assert Vote.objects.get(user_id="anna").category == "pets"
    assert sums() == (2, 1)


def test_a_vote_that_is_changed_moves_to_its_new_day(client: Client) -> None:
    make_entry()
    with time_machine.travel(DAY, tick=False):
        vote(client, "pets", user_id="anna")
    with time_machine.travel(NEXT_DAY, tick=False):
        vote(client, "foods", user_id="anna")

    assert sums(day="2026-11-25") == (0, 0)
    assert sums(day="2026-11-26") == (1, 0)


def test_without_a_user_an_address_has_one_vote_a_day(client: Client) -> None:
    make_entry()
    with time_machine.travel(DAY, tick=False):
        vote(client, "foods")
        vote(client, "other")
        vote(client, "other", address="10.0.0.2")
    with time_machine.travel(NEXT_DAY, tick=False):
        vote(client, "pets")

    rows = Vote.objects.order_by("pk").values_list("ip_address", "category", "user_id")
    assert list(rows) == [
        ("10.0.0.1", "other", None),
        ("10.0.0.2", "other", None),
        ("10.0.0.1", "pets", None),
    ]


def test_tokens_names_and_addresses_are_counted_apart(client: Client) -> None:
    key = make_app("camera")
    make_entry()
    vote(client, "pets", headers=token_of(client, key, "anna"))
    vote(client, "foods", headers=bearer(key), user_id="anna")  # who only says so
    vote(client, "foods", headers=bearer(key))
    vote(client, "foods", user_id="anna")  # of another app

    assert sums(voter="token") == (1, 1)
    assert sums(voter="name") == (2, 0)
    assert sums(voter="address") == (1, 0)
    assert Review.objects.get().tally == {
        "token": {"pets": 1},
        "name": {"foods": 2},
        "address": {"foods": 1},
    }


def test_a_vote_on_a_persons_correction_says_nothing_of_the_model(
    client: Client, admin_user: Any
) -> None:
    entry = make_entry()
    vote(client, "foods", user_id="anna")
    entry.correct("foods", by=admin_user)
    entry.save()
    vote(client, "foods", user_id="ben")
    assert sums() == (1, 0)
    vote(client, "other", user_id="anna")  # takes back what counted

    assert sums() == (0, 0)
    assert Vote.objects.count() == 2


def test_a_declared_hash_leads_its_asker_to_the_entry(client: Client) -> None:
    make_entry()
    DeclaredHash.objects.create(
        declared_hash=ORIGINAL,
        app_id=ANONYMOUS_ID,
        user_id="anna",
        has_token=False,
        image_hash=HASH,
    )

    assert vote(client, "foods", ORIGINAL, user_id="anna").status_code == 202
    assert Vote.objects.get().image_hash == HASH
    assert error_of(vote(client, "foods", ORIGINAL, user_id="ben")) == (404, "not_found")


def test_ids_are_kept_as_the_settings_say(client: Client, settings: Settings) -> None:
    make_entry()
    settings.USER_IDS = "hash"
    for category in ("foods", "other"):
        vote(client, category, user_id="anna")
    hashed = Vote.objects.get()
    assert (hashed.user_id or "") != "anna"
    assert len(hashed.user_id or "") == 64
    settings.USER_IDS = "drop"
    settings.IP_ADDRESSES = "truncate"
    for user in ("anna", "ben"):  # who are nobody now, but from one network
        vote(client, "foods", user_id=user)
    settings.IP_ADDRESSES = "drop"
    vote(client, "foods", user_id="anna")
    vote(client, "pets", address="10.9.9.9")

    rows = Vote.objects.exclude(pk=hashed.pk).order_by("pk")
    assert list(rows.values_list("voter", "user_id", "ip_address", "category")) == [
        ("address", None, "10.0.0.0", "foods"),
        ("address", None, "", "pets"),
    ]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"category": "cats"}, (400, "invalid_request")),
        ({"category": None}, (400, "invalid_request")),
        ({"category": ["pets"]}, (400, "invalid_request")),
        ({"image_hash": "ab"}, (400, "invalid_hash")),
        ({"image_hash": 7}, (400, "invalid_hash")),
        ({"image_hash": "cd" * 32}, (404, "not_found")),
        ({"user_id": {}}, (400, "invalid_request")),
    ],
)
def test_wrong_votes_are_refused(
    client: Client, body: dict[str, Any], error: tuple[int, str]
) -> None:
    make_entry()

    assert error_of(vote(client, **body)) == error
    assert not Vote.objects.exists()


def test_a_photo_that_check_cache_does_not_know_takes_no_votes(client: Client) -> None:
    make_entry(ask_again=True)

    assert not check_cache(client).json()["cached"]
    assert error_of(vote(client)) == (404, "not_found")


def test_credentials_and_limits_hold(client: Client) -> None:
    key = make_app("camera", "--requests-per-minute", "2")
    make_entry()
    with time_machine.travel(DAY, tick=False):
        answers = [vote(client, headers=bearer(key), user_id=f"u{n}") for n in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert error_of(answers[-1]) == (429, "throttled")
    assert answers[-1]["Retry-After"]
    assert_refused(vote(client, headers=bearer("pc_wrong")))
    anonymous = App.objects.anonymous()
    anonymous.is_active = False
    anonymous.save()
    assert_refused(vote(client))


@pytest.mark.django_db(transaction=True)
def test_votes_at_once_are_each_counted_once() -> None:
    make_entry()

    def cast(user: str, category: str) -> int:
        try:
            status: int = vote(Client(), category, user_id=user).status_code
            return status
        finally:
            connections.close_all()

    said = [(f"u{n % 4}", category) for n, category in enumerate(["foods", "other", "pets"] * 8)]
    statuses = at_once([partial(cast, *each) for each in said])

    assert set(statuses) == {202}
    assert Vote.objects.count() == 4
    assert sums() == (4, Vote.objects.filter(category="pets").count())
    categories = Vote.objects.values_list("category", flat=True)
    assert Review.objects.get().tally == {"name": dict(Counter(categories))}
