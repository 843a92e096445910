from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from classification import known_photos
from classification.models import CacheEntry, PromptVersion, RequestLog

pytestmark = pytest.mark.django_db

HASH = "a" * 64
ENTRIES = reverse("admin:classification_cacheentry_changelist")
CHANGE = reverse("admin:classification_cacheentry_change", args=[HASH])
LOG = reverse("admin:classification_requestlog_changelist")


def entry(image_hash: str = HASH, **fields: Any) -> CacheEntry:
    values = {"category": "pets", "confidence": Decimal("0.9"), "description": "一只猫"} | fields
    return CacheEntry.objects.create(image_hash=image_hash, **values)


def act(client: Client, action: str, *entries: CacheEntry, **fields: str) -> Any:
    selected = [str(entry.pk) for entry in entries]
    form = {"action": action, "_selected_action": selected} | fields
    return client.post(ENTRIES, form, follow=True)


def test_a_correction_says_who_and_keeps_the_models_category(
    admin_client: Client, admin_user: User
) -> None:
    entry()
    admin_client.post(CHANGE, {"category": "foods", "description": "一碗面"})

    corrected = CacheEntry.objects.get()
    assert (corrected.category, corrected.model_category) == ("foods", "pets")
    assert (corrected.corrected_by, corrected.description) == (admin_user, "一碗面")
    assert corrected.corrected_at


def test_the_models_own_category_takes_a_correction_back(admin_client: Client) -> None:
    entry()
    admin_client.post(CHANGE, {"category": "foods"})
    admin_client.post(CHANGE, {"category": "pets"})

    taken_back = CacheEntry.objects.get()
    assert (taken_back.category, taken_back.model_category) == ("pets", None)
    assert taken_back.corrected_at is None


def test_a_changed_description_is_no_correction(admin_client: Client) -> None:
    entry()
    admin_client.post(CHANGE, {"category": "pets", "description": "两只猫"})

    changed = CacheEntry.objects.get()
    assert (changed.description, changed.corrected_at) == ("两只猫", None)


def test_a_correction_is_served_at_once(admin_client: Client) -> None:
    entry()
    assert known_photos.find(HASH)
    admin_client.post(CHANGE, {"category": "foods"})

    found = known_photos.find(HASH)
    assert found
    assert found.category == "foods"


def test_what_is_printed_on_a_card_goes_with_the_correction(admin_client: Client) -> None:
    entry(model_response={"text": "张三"})
    admin_client.post(CHANGE, {"category": "idcard", "description": "张三"})

    corrected = CacheEntry.objects.get()
    assert (corrected.description, corrected.model_response) == (None, None)


def test_a_purge_asks_first(admin_client: Client) -> None:
    response = act(admin_client, "purge", entry())

    assert "已选中 1 条" in response.content.decode()
    assert CacheEntry.objects.exists()


@pytest.mark.parametrize(("asked_for", "left"), [({}, 1), ({"corrected": "on"}, 0)])
def test_what_a_person_corrected_survives_a_purge_unless_asked_for(
    admin_client: Client, admin_user: User, asked_for: dict[str, str], left: int
) -> None:
    corrected = entry("b" * 64)
    corrected.correct("foods", by=admin_user)
    corrected.save()
    known_photos.find(HASH)
    act(admin_client, "purge", entry(), corrected, confirmed="yes", **asked_for)

    assert CacheEntry.objects.count() == left
    assert known_photos.find(HASH) is None


def test_asking_again_makes_an_entry_unknown_and_keeps_its_hits(
    admin_client: Client, admin_user: User
) -> None:
    corrected = entry("b" * 64)
    corrected.correct("foods", by=admin_user)
    corrected.save()
    response = act(admin_client, "mark_ask_again", entry(hit_count=5), corrected)

    assert known_photos.find(HASH) is None
    assert known_photos.find("b" * 64)
    assert CacheEntry.objects.get(image_hash=HASH).hit_count == 5
    assert "1 条经人工修正" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "found"), [("aaaa", 1), ("AAAA", 1), ("bbbb", 0), ("一只", 1), ("", 2), ("狗", 0)]
)
def test_entries_are_found_by_hash_and_by_description(
    admin_client: Client, query: str, found: int
) -> None:
    entry()
    entry("c" * 64, description=None)
    response: Any = admin_client.get(ENTRIES, {"q": query})

    assert response.context["cl"].result_count == found


@pytest.mark.parametrize("filters", [{"corrected": "yes"}, {"prompt": "2"}, {"provider": "local"}])
def test_entries_are_filtered(
    admin_client: Client, admin_user: User, filters: dict[str, str]
) -> None:
    PromptVersion.objects.create(version=2)
    entry(provider="aliyun", prompt_version=1)
    wanted = entry("b" * 64, provider="local", prompt_version=2)
    wanted.correct("foods", by=admin_user)
    wanted.save()
    response: Any = admin_client.get(ENTRIES, filters)

    assert list(response.context["cl"].result_list) == [wanted]


def test_log_rows_link_to_their_entry(admin_client: Client) -> None:
    entry()
    RequestLog.objects.create(request_id="req_1", image_hash=HASH, category="pets")

    assert CHANGE in admin_client.get(LOG).content.decode()
    assert admin_client.get(CHANGE).status_code == 200


def test_the_log_is_read_only(admin_client: Client) -> None:
    row = RequestLog.objects.create(request_id="req_1")

    assert admin_client.get(f"{LOG}add/").status_code == 403
    assert admin_client.post(f"{LOG}{row.pk}/delete/").status_code == 403


def test_the_log_is_counted_no_further_than_it_is_paged(
    admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    RequestLog.objects.bulk_create(RequestLog(request_id=f"req_{n}") for n in range(60))
    with django_assert_num_queries(4) as queries:  # session, user, count, rows
        admin_client.get(LOG)

    assert "LIMIT 10000" in queries.captured_queries[2]["sql"]
