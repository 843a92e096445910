"""Corrections by users who agree: where staff allow it, with tokens only, never against staff."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classification.models import CacheEntry
from clients.models import App
from tests.support.api import HASH, check_cache, make_entry
from tests.support.apps import bearer, make_app
from tests.support.votes import token_of, vote
from tests.support.waiting import at_once

pytestmark = pytest.mark.django_db

PAGE = reverse("quality-review")
DECIDE = reverse("quality-review-decide")


@pytest.fixture
def key() -> str:
    """An app that three of its users correct answers for."""
    key = make_app("camera")
    App.objects.filter(name="camera").update(corrections_by_users=3)
    make_entry()
    return key


def answer(client: Client) -> str:
    category: str = check_cache(client).json()["data"]["category"]
    return category


def say(client: Client, key: str, category: str, *users: str) -> None:
    for user in users:
        assert vote(client, category, headers=token_of(client, key, user)).status_code == 202


def test_users_who_agree_correct_an_answer_at_once(client: Client, key: str) -> None:
    say(client, key, "foods", "anna", "ben", "ben")
    assert answer(client) == "pets"
    say(client, key, "foods", "carl")

    assert answer(client) == "foods"
    entry = CacheEntry.objects.get()
    assert (entry.model_category, entry.corrected_by, entry.correcting_users) == ("pets", None, 3)
    assert entry.correcting_app == App.objects.get(name="camera")


def test_it_is_off_until_staff_switch_it_on(client: Client, admin_client: Client) -> None:
    key = make_app("camera")
    make_entry()
    say(client, key, "foods", *(f"u{n}" for n in range(9)))
    assert answer(client) == "pets"
    app = App.objects.get(name="camera")
    page = reverse("admin:clients_app_change", args=[app.pk])
    admin_client.post(page, {"name": "camera", "is_active": "on", "corrections_by_users": "1"})
    app.refresh_from_db()
    assert app.corrections_by_users is None  # one user corrects nothing
    admin_client.post(page, {"name": "camera", "is_active": "on", "corrections_by_users": "2"})
    say(client, key, "foods", "u1")

    assert answer(client) == "foods"


def test_forged_votes_correct_nothing(client: Client, key: str) -> None:
    say(client, key, "foods", "anna", "ben")
    for number in range(20):
        vote(client, "foods", headers=bearer(key), user_id=f"u{number}")
        vote(client, "foods", headers=bearer(key), address=f"10.0.0.{number}")
        vote(client, "foods", user_id=f"u{number}")
    assert answer(client) == "pets"


def test_users_of_different_apps_are_not_added_up(client: Client, key: str) -> None:
    other = make_app("other")
    App.objects.update(corrections_by_users=3)
    say(client, key, "foods", "anna", "ben")
    say(client, other, "foods", "anna", "ben")

    assert answer(client) == "pets"


def test_who_says_otherwise_counts_against_it(client: Client, key: str) -> None:
    say(client, key, "pets", "dora")
    say(client, key, "foods", "anna", "ben", "carl")
    assert answer(client) == "pets"
    say(client, key, "foods", "dora")

    assert answer(client) == "foods"


def test_nothing_that_staff_have_decided_is_corrected(
    client: Client, key: str, admin_user: User
) -> None:
    entry = CacheEntry.objects.get()
    entry.correct("screenshot", by=admin_user)
    entry.save()
    User.objects.all().delete()  # a correction outlives its author
    say(client, key, "foods", "anna", "ben", "carl")

    assert answer(client) == "screenshot"


def test_a_confirmed_answer_is_not_corrected(
    client: Client, admin_client: Client, key: str
) -> None:
    say(client, key, "foods", "anna", "ben")
    admin_client.post(DECIDE, {"decision": f"{HASH}:pets:pets"})
    say(client, key, "foods", "carl", "dora")

    assert answer(client) == "pets"


def test_staff_take_a_correction_by_users_back_for_good(
    client: Client, admin_client: Client, key: str
) -> None:
    say(client, key, "foods", "anna", "ben", "carl")
    shown = admin_client.get(PAGE)
    assert "3 个" in shown.content.decode()
    assert "camera" in shown.content.decode()
    admin_client.post(DECIDE, {"decision": f"{HASH}:foods:pets"})
    say(client, key, "foods", "dora", "emil")

    assert answer(client) == "pets"
    entry = CacheEntry.objects.get()
    assert (entry.corrected_at, entry.correcting_app, entry.correcting_users) == (None, None, None)
    assert not admin_client.get(PAGE).context["corrected"]


def test_staff_confirm_a_correction_by_users(
    client: Client, admin_client: Client, key: str
) -> None:
    say(client, key, "foods", "anna", "ben", "carl")
    admin_client.post(DECIDE, {"decision": f"{HASH}:foods:foods"})
    say(client, key, "pets", "anna", "ben", "carl")

    assert answer(client) == "foods"
    assert not admin_client.get(PAGE).context["corrected"]
    entries = admin_client.get(reverse("admin:classification_cacheentry_changelist"))
    assert "camera" in entries.content.decode()


def test_a_correction_by_users_waits_for_staff_when_its_votes_have_expired(
    client: Client, admin_client: Client, key: str
) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=100), tick=False):
        say(client, key, "foods", "anna", "ben", "carl")
    call_command("purge_request_log")
    assert [item.entry.category for item in admin_client.get(PAGE).context["corrected"]] == [
        "foods"
    ]
    admin_client.post(DECIDE, {"decision": f"{HASH}:foods:pets"})

    assert answer(client) == "pets"


@pytest.mark.django_db(transaction=True)
def test_of_staff_and_users_at_once_one_decides(
    client: Client, admin_client: Client, key: str
) -> None:
    tokens = [token_of(client, key, f"u{number}") for number in range(6)]

    def then_close(call: Any) -> None:
        try:
            call()
        finally:
            connections.close_all()

    confirm = partial(admin_client.post, DECIDE, {"decision": f"{HASH}:pets:pets"})
    votes = [partial(vote, Client(), "foods", headers=token) for token in tokens]
    at_once([partial(then_close, call) for call in (*votes[:3], confirm, *votes[3:])])

    entry = CacheEntry.objects.get()
    assert entry.category == ("pets" if entry.reviewed_at else "foods")
    assert entry.correcting_users == (None if entry.reviewed_at else 3)
