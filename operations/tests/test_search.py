"""The search box: one match leads there, several are listed, and only what one may see."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from classification.models import RequestLog
from clients.models import App
from clients.pseudonyms import hashed_user_id
from stats.models import User as Requester
from tests.support.api import HASH, make_entry
from tests.support.history import NOW, call, log

pytestmark = pytest.mark.django_db

LOG = reverse("admin:classification_requestlog_changelist")


def find(client: Client, term: str) -> Any:
    return client.get(reverse("search"), {"q": term})


@pytest.mark.parametrize(
    ("term", "where"),
    [
        (HASH, f"/admin/classification/cacheentry/{HASH}/change/"),
        (f" {HASH[:6].upper()} ", f"/admin/classification/cacheentry/{HASH}/change/"),
        ("req_1", f"{LOG}?q=req_1"),
        ("req_trial", "/admin/classification/modelcall/?q=req_trial"),
        ("anna", f"{LOG}?user_id__exact=anna%40example"),
        ("cam", "/apps/7/"),
        ("d" * 64, f"{LOG}?q={'d' * 64}"),
    ],
)
def test_one_match_leads_there(admin_client: Client, term: str, where: str) -> None:
    make_entry()
    log(request_id="req_1", image_hash="d" * 64)
    call(request_id="req_trial")
    Requester.objects.create(user_id="anna@example", first_request=NOW, last_request=NOW)
    App.objects.create(pk=7, name="camera")

    assert find(admin_client, term).headers.get("Location") == where


def test_a_user_is_found_where_ids_are_kept_hashed(
    admin_client: Client, settings: Settings
) -> None:
    settings.USER_IDS = "hash"
    kept = hashed_user_id("anna")
    Requester.objects.create(user_id=kept, first_request=NOW, last_request=NOW)

    assert find(admin_client, "anna").headers["Location"].endswith(kept)


def test_several_matches_are_listed_and_none_is_said(admin_client: Client) -> None:
    App.objects.create(name="camera")
    App.objects.create(name="camera two")

    listed = find(admin_client, "camera")
    assert [thing.name for thing in listed.context["found"]] == ["camera", "camera two"]
    nothing = find(admin_client, "<script>").content.decode()
    assert "&lt;script&gt;" in nothing


def test_nothing_is_found_that_one_may_not_see(client: Client) -> None:
    make_entry()
    RequestLog.objects.create(request_id="req_1")
    user = User.objects.create_user("somebody", is_staff=True)
    client.force_login(user)
    assert find(client, HASH).context["found"] == []
    assert find(client, "req_1").context["found"] == []

    user.user_permissions.set(Permission.objects.filter(codename="view_requestlog"))
    assert find(client, "req_1").status_code == 302
