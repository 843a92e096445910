from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from classification.admin.cache_entries import CacheEntryAdmin
from classification.models import CacheEntry, PromptVersion, RequestLog
from classification.pipeline import answer_cache
from clients.models import App
from core.request_id import new_request_id
from tests.support.api import correct, open_form

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
    correct(admin_client, HASH, category="foods", description="一碗面")

    corrected = CacheEntry.objects.get()
    assert (corrected.category, corrected.model_category) == ("foods", "pets")
    assert (corrected.corrected_by, corrected.description) == (admin_user, "一碗面")
    assert corrected.corrected_at


def test_the_models_own_category_takes_a_correction_back(admin_client: Client) -> None:
    entry()
    for category in ("foods", "pets"):
        correct(admin_client, HASH, category=category)

    taken_back = CacheEntry.objects.get()
    assert (taken_back.category, taken_back.model_category) == ("pets", None)
    assert taken_back.corrected_at is None


def test_a_persons_description_is_a_correction_until_the_models_own_is_back(
    admin_client: Client, admin_user: User
) -> None:
    entry()
    correct(admin_client, HASH, category="pets", description="两只猫")
    changed = CacheEntry.objects.get()
    correct(admin_client, HASH, category="foods", description="一碗面")
    correct(admin_client, HASH, category="pets", description="一碗面")
    still = CacheEntry.objects.get()
    correct(admin_client, HASH, category="pets", description="一只猫")
    taken_back = CacheEntry.objects.get()

    assert (changed.description, changed.corrected_by) == ("两只猫", admin_user)
    assert still.corrected_at
    assert (taken_back.description, taken_back.corrected_at) == ("一只猫", None)


def test_a_correction_is_served_at_once(admin_client: Client) -> None:
    entry()
    assert answer_cache.get(HASH)
    correct(admin_client, HASH, category="foods")

    found = answer_cache.get(HASH)
    assert found
    assert found.category == "foods"


def test_what_is_printed_on_a_card_goes_with_the_correction(admin_client: Client) -> None:
    entry(model_response={"text": "张三"})
    correct(admin_client, HASH, category="idcard", description="张三")

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
    answer_cache.get(HASH)
    act(admin_client, "purge", entry(), corrected, confirmed="yes", **asked_for)

    assert CacheEntry.objects.count() == left
    assert answer_cache.get(HASH) is None


def test_asking_again_makes_an_entry_unknown_and_keeps_its_hits(
    admin_client: Client, admin_user: User
) -> None:
    corrected = entry("b" * 64)
    corrected.correct("foods", by=admin_user)
    corrected.save()
    response = act(admin_client, "mark_ask_again", entry(hit_count=5), corrected, confirmed="yes")

    assert answer_cache.get(HASH) is None
    assert answer_cache.get("b" * 64)
    assert CacheEntry.objects.get(image_hash=HASH).hit_count == 5
    assert "已保留人工修正的 1 条" in response.content.decode()


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


def test_a_failed_request_shows_no_confidence(admin_client: Client) -> None:
    right = RequestLog.objects.create(
        request_id="req_1", category="pets", confidence=Decimal("0.9")
    )
    failed = RequestLog.objects.create(request_id="req_2", outcome="model_timeout")
    pages = [
        admin_client.get(reverse("admin:classification_requestlog_change", args=[row.pk]))
        for row in (right, failed)
    ]

    assert "90.0%" in pages[0].content.decode()
    assert "0.0" not in pages[1].content.decode().partition("field-percent")[2][:300]


def test_the_log_is_read_only(admin_client: Client) -> None:
    row = RequestLog.objects.create(request_id="req_1")

    assert admin_client.get(f"{LOG}add/").status_code == 403
    assert admin_client.post(f"{LOG}{row.pk}/delete/").status_code == 403


def test_the_log_is_counted_no_further_than_it_is_paged(
    admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    RequestLog.objects.bulk_create(RequestLog(request_id=f"req_{n}") for n in range(60))
    with django_assert_num_queries(6) as queries:  # session, user, count, rows, apps
        admin_client.get(LOG)

    assert "LIMIT 10000" in queries.captured_queries[2]["sql"]


@pytest.mark.parametrize("term", ["{id}", " {id} ", "u7", HASH])
def test_a_request_is_found_by_its_id_its_user_or_its_photo(
    admin_client: Client, term: str
) -> None:
    request_id = new_request_id()
    wanted = RequestLog.objects.create(request_id=request_id, user_id="u7", image_hash=HASH)
    RequestLog.objects.create(request_id=new_request_id(), user_id="u8", image_hash="c" * 64)
    response: Any = admin_client.get(LOG, {"q": term.format(id=request_id)})

    assert list(response.context["cl"].result_list) == [wanted]


@pytest.mark.mariadb
def test_a_request_is_found_by_its_id_without_a_scan_of_the_log(admin_client: Client) -> None:
    long_ago = timezone.now() - timedelta(days=9)
    rows = [RequestLog(request_id=f"req_{n}", created_at=long_ago) for n in range(500)]
    RequestLog.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as captured:
        admin_client.get(LOG, {"q": new_request_id()})
    [count] = [q["sql"] for q in captured.captured_queries if "LIMIT 10000" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {count}")
        keys = [row[5] for row in cursor.fetchall()]

    assert any(key and "created_at" in key for key in keys)


def test_a_correction_loses_no_hit_that_is_counted_meanwhile(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = entry()
    unpatched = CacheEntry.correct

    def correct_while_apps_ask(self: CacheEntry, *args: Any, **kwargs: Any) -> None:
        CacheEntry.objects.filter(pk=self.pk).update(hit_count=500)
        unpatched(self, *args, **kwargs)

    monkeypatch.setattr(CacheEntry, "correct", correct_while_apps_ask)
    correct(admin_client, HASH, category="foods", description="面")
    cached.refresh_from_db()

    assert (cached.category, cached.description, cached.hit_count) == ("foods", "面", 500)


def test_a_correction_brings_no_purged_entry_back(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry()
    form = open_form(admin_client, HASH)
    get_object = CacheEntryAdmin.get_object

    def get_what_is_purged(*args: Any) -> CacheEntry | None:
        found = get_object(*args)
        CacheEntry.objects.all().delete()
        return found

    monkeypatch.setattr(CacheEntryAdmin, "get_object", get_what_is_purged)
    page = admin_client.post(CHANGE, form | {"category": "foods"})

    assert not CacheEntry.objects.exists()
    assert "此项刚被删除，修改未保存。" in page.content.decode()


def test_an_open_form_saves_what_was_touched_and_nothing_else(
    admin_client: Client, admin_user: User
) -> None:
    cached = entry(description="一只猫\r\n在沙发上 ")
    form = open_form(admin_client, HASH)
    cached.correct_by_users("foods", app=App.objects.anonymous(), users=3)
    cached.save()
    admin_client.post(CHANGE, form)
    assert CacheEntry.objects.get().correcting_users == 3
    admin_client.post(CHANGE, form | {"description": "一碗面"})

    saved = CacheEntry.objects.get()
    assert (saved.category, saved.description) == ("foods", "一碗面")
    assert (saved.model_category, saved.corrected_by) == ("pets", admin_user)


def test_an_open_form_does_not_undo_what_came_meanwhile(admin_client: Client) -> None:
    """Users' correction, in the one form that staff save their own of; and another's text."""
    cached = entry()
    form = open_form(admin_client, HASH)
    cached.correct_by_users("foods", app=App.objects.anonymous(), users=3)
    cached.description = "一碗面"
    cached.save()
    changes = {"category": "screenshot", "description": "聊天记录"}
    page = admin_client.post(CHANGE, form | changes).content.decode()

    assert page.count("请刷新页面后再修改") == 2
    assert "“美食记录”" in page
    kept = CacheEntry.objects.get()
    assert (kept.category, kept.description, kept.correcting_users) == ("foods", "一碗面", 3)
    correct(admin_client, HASH, **changes)
    saved = CacheEntry.objects.get()
    assert (saved.category, saved.description) == ("screenshot", "聊天记录")


def test_asking_again_leaves_what_is_corrected_meanwhile(
    admin_client: Client, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = entry()
    values_list = QuerySet.values_list

    def correct_once_read(self: Any, *fields: str, **kwargs: Any) -> Any:
        read = values_list(self, *fields, **kwargs)
        if fields == ("image_hash",):
            list(read)
            cached.correct("foods", by=admin_user)
            cached.save()
        return read

    monkeypatch.setattr(QuerySet, "values_list", correct_once_read)
    act(admin_client, "mark_ask_again", cached, confirmed="yes")
    cached.refresh_from_db()

    assert (cached.category, cached.ask_again) == ("foods", False)


def test_an_entry_and_the_list_of_users_are_named_in_the_readers_language(
    admin_client: Client,
) -> None:
    admin_client.cookies["django_language"] = "zh-hans"
    entry = CacheEntry.objects.create(image_hash="a" * 64, category="foods", confidence=1)
    page = admin_client.get(f"/admin/classification/cacheentry/{entry.pk}/change/")
    assert "aaaaaaaaaaaa… 美食记录" in page.content.decode()

    users = admin_client.get("/admin/auth/user/").content.decode()
    assert "<h1>用户</h1>" in users
    assert "用户数" not in users
