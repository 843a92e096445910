"""Roles: what a viewer, an editor and an operator may do, and what staff could do before."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken
from classification.default_prompt import DEFAULT_PROMPT
from classification.models import CacheEntry, PromptVersion
from clients.models import App
from tests.support.api import check_cache, make_entry, upload
from tests.support.apps import bearer, run
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.roles import give_role, make_roles

pytestmark = pytest.mark.django_db


def log_in(client: Client, *roles: str) -> User:
    user = User.objects.create_user("somebody", is_staff=True)
    give_role(user, *roles)
    client.force_login(user)
    return user


def publish(client: Client) -> Any:
    text = DEFAULT_PROMPT.replace("请看", "请仔细看")
    form = {"text": text, "based_on": 1, "older": "keep", "accepts": "从未评测过。"}
    return client.post(reverse("prompt-publish"), form)


def try_photo(client: Client) -> Any:
    image = SimpleUploadedFile("p.jpg", photo())
    return client.post(reverse("playground-again"), {"image": image})


def correct(client: Client, entry: CacheEntry) -> Any:
    page = reverse("admin:classification_cacheentry_change", args=[entry.pk])
    return client.post(page, {"category": "foods", "initial-category": entry.category})


def purge(client: Client, entry: CacheEntry) -> Any:
    form = {"action": "purge", "confirmed": "yes", "_selected_action": [entry.pk]}
    return client.post(reverse("admin:classification_cacheentry_changelist"), form)


def make_app(client: Client) -> Any:
    return client.post(reverse("admin:clients_app_add"), {"name": "camera", "is_active": "on"})


def done(client: Client, entry: CacheEntry) -> set[str]:
    """What of all that one may do came to pass."""
    PromptVersion.objects.current()
    found = set()
    if publish(client).status_code == 302 and PromptVersion.objects.count() == 2:
        found.add("publish")
    if try_photo(client).status_code == 200:
        found.add("try")
    correct(client, entry)
    entry.refresh_from_db()
    if entry.category == "foods":
        found.add("correct")
        CacheEntry.objects.update(corrected_at=None)
    if make_app(client).status_code == 200 and App.objects.filter(name="camera").exists():
        found.add("make an app")
    purge(client, entry)
    if not CacheEntry.objects.exists():
        found.add("purge")
    return found


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        (["viewer"], set()),
        (["editor"], {"publish", "try", "correct"}),
        (["operator"], {"try", "make an app", "purge"}),
        (["editor", "operator"], {"publish", "try", "correct", "make an app", "purge"}),
        ([], set()),
    ],
)
def test_each_role_does_what_it_may_and_no_more(
    client: Client, model: DashScopeServer, roles: list[str], allowed: set[str]
) -> None:
    log_in(client, *roles)

    assert done(client, make_entry()) == allowed


@pytest.mark.parametrize("address", ["/", "/apps/", "/test/", "/prompt/", "/settings/"])
def test_a_viewer_sees_the_pages(client: Client, address: str) -> None:
    log_in(client, "viewer")

    assert client.get(address).status_code == 200
    assert client.get("/api/v1/stats/today").status_code == 200
    assert client.get(reverse("admin:classification_requestlog_changelist")).status_code == 200
    assert client.get(reverse("admin:clients_app_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("roles", "anonymous", "expected"),
    [
        (["viewer"], "--on", 200),
        (["viewer"], "--new-photos-per-day=0", 429),
        (["viewer"], "--off", 403),
        (["editor"], "--new-photos-per-day=0", 200),
        (["editor"], "--off", 200),
    ],
)
@pytest.mark.django_db(transaction=True)  # a batch writes in threads of its own
def test_who_may_not_try_the_model_spends_no_more_than_anybody(
    client: Client, model: DashScopeServer, roles: list[str], anonymous: str, expected: int
) -> None:
    run("create_app", "anonymous", anonymous)
    user = log_in(client, *roles)
    token = bearer(ApiToken.objects.make(user, "script", None)[1])
    album = {"images": [SimpleUploadedFile("p.jpg", photo(seed=2))]}
    batch = client.post("/api/v1/classify/batch", album)

    assert upload(client, photo()).status_code == expected
    assert upload(Client(), photo(seed=1), headers=token).status_code == expected
    assert batch.status_code == (403 if expected == 403 else 200)
    assert batch.json().get("success_count", 0) == (expected == 200)
    assert check_cache(client).status_code == 200
    assert client.get("/api/v1/usage").status_code == 200


def test_todays_staff_keep_what_they_can_do(client: Client, model: DashScopeServer) -> None:
    before = User.objects.create_user("before", is_staff=True)
    before.user_permissions.set(Permission.objects.filter(codename="change_cacheentry"))
    make_roles()
    client.force_login(before)

    assert done(client, make_entry()) == {"publish", "try", "correct", "purge"}


def test_a_group_that_the_operator_made_stays_as_it_is() -> None:
    Group.objects.filter(name="viewer").delete()
    own = Group.objects.create(name="viewer")
    make_roles()

    assert not own.permissions.exists()


def test_what_staff_do_is_in_one_list(admin_client: Client) -> None:
    User.objects.create_user("anna", password="right", is_staff=True)
    login = {"username": "anna", "password": "right"}
    Client().post(reverse("admin:login"), login)
    entry = make_entry()
    PromptVersion.objects.current()
    publish(admin_client)
    correct(admin_client, entry)
    CacheEntry.objects.update(corrected_at=None)
    purge(admin_client, entry)
    make_app(admin_client)
    page = admin_client.get(reverse("admin:admin_logentry_changelist")).content.decode()

    done = " ".join(entry.get_change_message() for entry in LogEntry.objects.all())
    for what in ("登录", "发布", "删除"):
        assert what in done
    assert LogEntry.objects.count() == 5
    assert "camera" in page
    table: Any = admin_client.get(reverse("admin:admin_logentry_download"))
    assert "anna" in b"".join(table.streaming_content).decode()
    assert table["Content-Type"].startswith("text/csv")
