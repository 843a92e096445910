"""The staff's queue: what is in it, in which order, and what staff make of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from classification.models import CacheEntry
from quality.models import DayAgreement, Review, Vote
from tests.support.api import HASH, check_cache, correct, make_entry
from tests.support.apps import make_app
from tests.support.votes import token_of, vote

pytestmark = pytest.mark.django_db

PAGE = reverse("quality-review")
DECIDE = reverse("quality-review-decide")
OTHERS = ["bb" * 32, "cc" * 32, "dd" * 32]


def queue(client: Client) -> list[str]:
    """The hashes in the queue, as the page lists them."""
    return [item.review.image_hash for item in client.get(PAGE).context["items"]]


def decide(client: Client, *decisions: str, **fields: str) -> Any:
    return client.post(DECIDE, {"selected": decisions} | fields, follow=True)


def levels(response: Any) -> list[str]:
    return [message.level_tag for message in response.context["messages"]]


def staff_with(*codenames: str) -> Client:
    user = User.objects.create_user("somebody", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def test_the_queue_is_sorted_by_hits_disagreement_and_low_confidence(
    client: Client, admin_client: Client
) -> None:
    popular, unsure, disputed = OTHERS
    make_entry(HASH, hit_count=10)
    make_entry(popular, hit_count=1000)
    make_entry(unsure, hit_count=100, confidence=Decimal("0.4"))
    make_entry(disputed, hit_count=100, confidence=Decimal("0.9"))
    for image_hash in (HASH, *OTHERS):
        vote(client, "foods", image_hash, user_id="anna")
    key = make_app()
    for user in ("ben", "carl", "dora"):
        vote(client, "foods", disputed, headers=token_of(client, key, user))
    vote(client, "pets", "ee" * 32)
    assert queue(admin_client) == [popular, unsure, disputed, HASH]
    CacheEntry.objects.filter(image_hash=HASH).update(hit_count=100_000)  # asked since

    assert queue(admin_client)[0] == HASH


def test_answers_that_all_agree_with_are_not_in_the_queue(
    client: Client, admin_client: Client
) -> None:
    make_entry()
    vote(client, "pets", user_id="anna")

    assert queue(admin_client) == []
    assert Review.objects.exists()


def test_a_thousand_votes_without_a_token_weigh_as_one_users(
    client: Client, admin_client: Client
) -> None:
    forged, real = OTHERS[:2]
    key = make_app()
    for image_hash in (forged, real):
        make_entry(image_hash, hit_count=100)
    now, today = timezone.now(), timezone.localdate()
    Vote.objects.bulk_create(
        Vote(
            image_hash=forged,
            app_id=1,
            voter="name",
            user_id=f"forged {number}",
            category="other",
            day=today,
            voted_at=now,
            answer="pets",
            confidence=Decimal("0.9"),
            model="qwen-vl-plus",
            is_counted=True,
        )
        for number in range(1000)
    )
    vote(client, "other", forged, user_id="forged")
    for user in ("anna", "ben"):
        vote(client, "foods", real, headers=token_of(client, key, user))

    assert queue(admin_client) == [real, forged]
    shown = admin_client.get(PAGE).content.decode()
    assert "1,001" in shown


def test_an_answer_is_corrected_with_one_click(
    client: Client, admin_client: Client, admin_user: User
) -> None:
    make_entry(hit_count=7)
    vote(client, "foods", user_id="anna")
    check_cache(client)  # is hot now
    page = admin_client.get(PAGE).content.decode()
    assert f'value="{HASH}:pets:foods"' in page
    response = admin_client.post(DECIDE, {"decision": f"{HASH}:pets:foods"}, follow=True)

    entry = CacheEntry.objects.get()
    assert (entry.category, entry.model_category, entry.hit_count) == ("foods", "pets", 7)
    assert (entry.corrected_by, entry.description) == (admin_user, "一只猫")
    assert check_cache(client).json()["data"]["category"] == "foods"
    assert (levels(response), queue(admin_client)) == (["success"], [])
    logged = LogEntry.objects.get()
    assert (logged.user, logged.object_id) == (admin_user, str(entry.pk))
    assert "美食记录" in logged.change_message


def test_many_are_corrected_or_confirmed_at_once(client: Client, admin_client: Client) -> None:
    for image_hash in OTHERS:
        make_entry(image_hash)
        vote(client, "foods", image_hash, user_id="anna")
    decide(admin_client, *(f"{each}:pets:foods" for each in OTHERS[:2]), bulk="correct")
    assert queue(admin_client) == OTHERS[2:]
    decide(admin_client, f"{OTHERS[2]}:pets:foods", bulk="keep")

    assert queue(admin_client) == []
    categories = CacheEntry.objects.order_by("image_hash").values_list("category", flat=True)
    assert list(categories) == ["foods", "foods", "pets"]
    assert LogEntry.objects.count() == 3


def test_a_confirmed_answer_stays_out_of_the_queue_until_it_is_another(
    client: Client, admin_client: Client
) -> None:
    entry = make_entry()
    vote(client, "foods", user_id="anna")
    decide(admin_client, f"{HASH}:pets:pets")
    for number in range(10):
        vote(client, "foods", user_id=f"u{number}")
    assert queue(admin_client) == []
    entry.refresh_from_db()
    entry.category, entry.reviewed_at = "other", None
    entry.save()
    vote(client, "foods", user_id="anna")

    assert queue(admin_client) == [HASH]


@pytest.mark.parametrize("change", [{"category": "other"}, {"reviewed_at": timezone.now()}])
def test_what_has_changed_since_it_was_seen_is_left(
    client: Client, admin_client: Client, change: dict[str, Any]
) -> None:
    make_entry()
    vote(client, "foods", user_id="anna")
    CacheEntry.objects.update(**change)
    response = decide(admin_client, f"{HASH}:pets:foods", bulk="correct")

    assert levels(response) == ["warning"]
    assert CacheEntry.objects.get().category == change.get("category", "pets")
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    "decision", ["", "x", f"{HASH}:pets", f"{HASH}:pets:cats", f"{HASH[:-1]}:pets:foods"]
)
def test_odd_decisions_do_nothing(admin_client: Client, decision: str) -> None:
    make_entry()

    assert levels(decide(admin_client, decision)) == ["warning"]
    assert CacheEntry.objects.get().category == "pets"


def test_a_purged_entry_leaves_the_queue(client: Client, admin_client: Client) -> None:
    make_entry()
    vote(client, "foods", user_id="anna")
    CacheEntry.objects.all().delete()

    assert queue(admin_client) == []
    assert levels(decide(admin_client, f"{HASH}:pets:foods")) == ["warning"]


def test_a_correction_in_the_admin_settles_the_review_too(
    client: Client, admin_client: Client
) -> None:
    make_entry()
    vote(client, "foods", user_id="anna")
    correct(admin_client, category="screenshot")

    assert queue(admin_client) == []


def test_who_may_only_see_decides_nothing(client: Client) -> None:
    make_entry()
    vote(client, "foods", user_id="anna")
    viewer = staff_with("view_cacheentry")

    assert queue(viewer) == [HASH]
    assert "decision" not in viewer.get(PAGE).content.decode()
    assert viewer.post(DECIDE, {"decision": f"{HASH}:pets:foods"}).status_code == 403
    assert CacheEntry.objects.get().category == "pets"
    assert client.get(PAGE).status_code == 302


def test_staff_without_the_permission_see_nothing(client: Client) -> None:
    assert staff_with().get(PAGE).status_code == 403


def test_votes_expire_with_the_log_and_their_sums_stay(
    client: Client, admin_client: Client
) -> None:
    make_entry(HASH)
    make_entry(OTHERS[0])
    with time_machine.travel(timezone.now() - timedelta(days=100), tick=False):
        vote(client, "foods", user_id="anna")
        vote(client, "foods", OTHERS[0], user_id="anna")
    vote(client, "other", OTHERS[0], user_id="ben")
    call_command("purge_request_log")

    assert Vote.objects.get().user_id == "ben"
    assert queue(admin_client) == [OTHERS[0]]
    assert Review.objects.get().tally == {"name": {"other": 1}}
    assert sum(DayAgreement.objects.values_list("votes", flat=True)) == 3


def test_the_queue_takes_as_many_statements_however_many_votes(
    client: Client, admin_client: Client
) -> None:
    counts = []
    for number in (1, 9):
        for each in range(number):
            image_hash = f"{number}{each}".ljust(64, "0")
            make_entry(image_hash)
            vote(client, "foods", image_hash, user_id="anna")
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(PAGE)
        counts.append(len(queries))

    assert counts[0] == counts[1]
