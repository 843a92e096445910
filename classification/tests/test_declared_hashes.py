"""Questions by the hash of an original file, whose smaller copy was uploaded."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from classification.models import CacheEntry, DeclaredHash, PromptVersion, RequestLog
from classification.pipeline.write_behind import buffer
from clients.models import App
from tests.support.api import make_entry, sha256, upload
from tests.support.apps import bearer, make_app
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db

ORIGINAL = "0" * 63 + "1"
CHECK = "/api/v1/classify/check-cache"


def declare(client: Client, data: bytes, headers: dict[str, str], **fields: str) -> Any:
    return upload(client, data, image_hash=ORIGINAL, headers=headers, **fields)


def is_known_to(
    client: Client, headers: dict[str, str], user: str | None = None, image_hash: str = ORIGINAL
) -> bool:
    body = {"image_hash": image_hash} | ({"user_id": user} if user else {})
    answer = client.post(CHECK, body, "application/json", headers=headers).json()
    assert answer["cached"] == (answer["data"] is not None) == answer["from_cache"]
    known: bool = answer["cached"]
    return known


def token_of(client: Client, key: str, user: str) -> dict[str, str]:
    body = client.post(
        "/api/v1/auth/token", {"user_id": user}, "application/json", headers=bearer(key)
    ).json()
    return bearer(body["token"])


def test_who_declared_a_hash_is_answered_by_it_and_nobody_else(
    client: Client, model: DashScopeServer
) -> None:
    key, other = bearer(make_app("camera")), bearer(make_app("other"))
    small = photo()
    answer = declare(client, small, key, user_id="anna").json()

    assert (answer["source"], answer["image_hash"]) == ("llm", sha256(small))
    assert is_known_to(client, key, "anna")
    assert not is_known_to(client, key, "Anna")
    assert not is_known_to(client, key, "carl")
    assert not is_known_to(client, key)
    assert not is_known_to(client, other, "anna")
    assert not is_known_to(client, {}, "anna")
    assert is_known_to(client, key, "carl", sha256(small))


def test_a_hit_by_a_declared_hash_counts_as_a_hit_of_the_entry(
    client: Client, model: DashScopeServer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    declare(client, photo(), {}, user_id="anna")
    is_known_to(client, {}, "anna")
    buffer.flush()
    log = RequestLog.objects.latest("pk")

    assert CacheEntry.objects.get().hit_count == 2
    assert (log.from_cache, log.image_hash) == (True, sha256(photo()))
    with django_assert_num_queries(2):  # the entry of the hash itself, and who declared it
        is_known_to(client, {}, "carl")


@pytest.mark.django_db(transaction=True)
def test_those_whose_questions_share_a_query_are_answered_each_for_themselves(
    model: DashScopeServer,
) -> None:
    declare(Client(), photo(), {}, user_id="anna")
    users = ["anna", "carl"] * 20
    with ThreadPoolExecutor(8) as pool:
        known = list(pool.map(lambda user: is_known_to(Client(), {}, user), users))

    assert known == [True, False] * 20


def test_without_a_user_id_nobody_is_remembered(client: Client, model: DashScopeServer) -> None:
    assert declare(client, photo(), {}).status_code == 200
    assert not DeclaredHash.objects.exists()


def test_all_users_of_a_trusted_app_are_answered(client: Client, model: DashScopeServer) -> None:
    key = bearer(make_app("camera", "--trusted"))
    declare(client, photo(), key, user_id="anna")

    assert is_known_to(client, key, "carl")
    assert is_known_to(client, key)
    assert not is_known_to(client, {}, "carl")


def test_three_users_with_tokens_speak_for_their_app(
    client: Client, model: DashScopeServer
) -> None:
    key = make_app("camera")
    tokens = [token_of(client, key, user) for user in ("anna", "ben", "carl")]
    known = []
    for number, token in enumerate(tokens):
        declare(client, photo(seed=number), token)
        known.append(is_known_to(client, bearer(key), "dora"))

    assert known == [False, False, True]
    assert is_known_to(client, token_of(client, key, "emil"))
    CacheEntry.objects.filter(image_hash=sha256(photo(seed=1))).update(category="foods")
    assert not is_known_to(client, bearer(key), "dora")


def test_a_thousand_declarations_without_a_token_change_no_answer(
    client: Client, model: DashScopeServer
) -> None:
    key = make_app("camera")
    victim = token_of(client, key, "victim")
    make_entry(sha256(photo()), category="idcard")
    DeclaredHash.objects.bulk_create(
        DeclaredHash(
            declared_hash=ORIGINAL,
            app_id=App.objects.get(name="camera").pk,
            user_id=f"attacker {number}",
            has_token=False,
            image_hash=sha256(photo()),
        )
        for number in range(1000)
    )
    declare(client, photo(), bearer(key), user_id="victim")

    assert not is_known_to(client, victim)
    assert not is_known_to(client, bearer(key), "dora")
    declare(client, photo(seed=1), victim)
    for user in ("victim", "ben", "carl"):
        declare(client, photo(seed=1), token_of(client, key, user))
    answer = client.post(
        CHECK, {"image_hash": ORIGINAL}, "application/json", headers=bearer(key)
    ).json()
    assert answer["data"]["category"] == "pets"


def test_nobody_turns_anothers_answer_into_a_different_one(
    client: Client, model: DashScopeServer
) -> None:
    declare(client, photo(), {}, user_id="anna")
    make_entry(sha256(photo(seed=1)), category="idcard")
    declare(client, photo(seed=1), {}, user_id="anna")  # who only says so
    body = {"image_hash": ORIGINAL, "user_id": "anna"}

    assert client.post(CHECK, body, "application/json").json()["data"]["category"] == "pets"
    CacheEntry.objects.filter(image_hash=sha256(photo())).delete()
    declare(client, photo(seed=1), {}, user_id="anna")
    assert client.post(CHECK, body, "application/json").json()["data"]["category"] == "idcard"


def test_an_entry_of_the_hash_itself_always_wins(client: Client, model: DashScopeServer) -> None:
    declare(client, photo(), {}, user_id="anna")
    entry = make_entry(ORIGINAL, category="foods")
    body = {"image_hash": ORIGINAL, "user_id": "anna"}

    assert client.post(CHECK, body, "application/json").json()["data"]["category"] == "foods"
    entry.ask_again = True
    entry.save()
    assert not is_known_to(client, {}, "anna")


def test_corrections_purges_and_prompts_reach_declared_hashes(
    client: Client, model: DashScopeServer
) -> None:
    declare(client, photo(), {}, user_id="anna")
    CacheEntry.objects.update(category="foods", corrected_at=timezone.now())
    body = {"image_hash": ORIGINAL, "user_id": "anna"}
    corrected = client.post(CHECK, body, "application/json").json()["data"]["category"]
    CacheEntry.objects.update(corrected_at=None)
    PromptVersion.objects.create(version=2, text="…", accepted_from=2)
    outdated = is_known_to(client, {}, "anna")
    CacheEntry.objects.all().delete()

    assert (corrected, outdated) == ("foods", False)
    assert not is_known_to(client, {}, "anna")


def test_a_batch_of_declared_hashes_takes_one_query_more(
    client: Client, model: DashScopeServer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    declare(client, photo(), {}, user_id="anna")
    hashes = [ORIGINAL, *(f"{number:064x}" for number in range(50, 149))]
    with django_assert_num_queries(2):
        answer = client.post(
            "/api/v1/classify/batch-check-cache",
            json.dumps({"image_hashes": hashes, "user_id": "anna"}),
            "application/json",
        ).json()

    assert (answer["cached_count"], answer["items"][0]["cached"]) == (1, True)
    assert answer["items"][0]["image_hash"] == ORIGINAL


def test_what_nobody_asks_about_is_purged(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.LOG_RETENTION_DAYS = 90
    declare(client, photo(), {}, user_id="anna")
    declare(client, photo(), {}, user_id="ben")
    DeclaredHash.objects.update(asked_at=timezone.now() - timedelta(days=91))
    assert is_known_to(client, {}, "anna")
    call_command("purge_request_log")

    assert [row.user_id for row in DeclaredHash.objects.all()] == ["anna"]


def test_declared_hashes_can_be_refused(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    declare(client, photo(), {}, user_id="anna")
    settings.DECLARED_HASHES = "refuse"

    assert declare(client, photo(), {}, user_id="anna").json()["error_code"] == "hash_mismatch"
    assert not is_known_to(client, {}, "anna")


def test_the_page_of_an_entry_says_how_often_it_was_declared_and_not_by_whom(
    client: Client, admin_client: Client, model: DashScopeServer
) -> None:
    for user in ("anna-77", "ben-78"):
        declare(client, photo(), {}, user_id=user)
    page = reverse("admin:classification_cacheentry_change", args=[sha256(photo())])
    text = admin_client.get(page).content.decode()

    assert "1 个，共声明 2 次" in text
    assert "anna-77" not in text
