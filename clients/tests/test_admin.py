"""Staff make apps, limit them, rotate and revoke their keys; a key is shown once."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from clients.models import ANONYMOUS_ID, App, AppKey
from tests.support.apps import ask, assert_refused, bearer, make_app, run
from tests.support.html_forms import input_values

pytestmark = pytest.mark.django_db

KEY = re.compile(r"pc_[0-9a-z]{8}_[0-9A-Za-z]{40}")
FORM = {"name": "camera", "is_active": "on", "new_photos_per_day": "5"}


def shown_key(response: Any) -> str:
    found: str = KEY.search(response.content.decode())[0]  # type: ignore[index]
    return found


def change_page(name: str = "camera") -> str:
    return reverse("admin:clients_app_change", args=[App.objects.get(name=name).pk])


def test_an_app_and_its_key_are_made_and_the_key_is_shown_once(admin_client: Client) -> None:
    made = admin_client.post(reverse("admin:clients_app_add"), FORM)
    key = shown_key(made)
    pages = [admin_client.get(change_page()), admin_client.get(reverse("admin:index"))]

    assert "no-store" in made["Cache-Control"]
    assert App.objects.get(name="camera").new_photos_per_day == 5
    assert ask(Client(), **bearer(key)).status_code == 200
    assert not [page for page in pages if key.rsplit("_", 1)[1] in page.content.decode()]
    assert key[:11] in pages[0].content.decode()
    assert key not in str(list(LogEntry.objects.values()))


def test_a_key_is_rotated_with_an_overlap(admin_client: Client) -> None:
    older = make_app()
    rotate = reverse("admin:clients_app_rotate", args=[App.objects.get(name="camera").pk])
    asked = admin_client.get(rotate)
    wrong = admin_client.post(rotate, {"overlap_days": "-1"})
    newer = shown_key(admin_client.post(rotate, {"overlap_days": "7"}))

    assert (asked.status_code, wrong.status_code) == (200, 200)
    assert AppKey.objects.count() == 2
    assert [ask(Client(), **bearer(key)).status_code for key in (older, newer)] == [200, 200]
    assert AppKey.objects.get(prefix=older[:11]).expires_at
    assert newer[:11] in LogEntry.objects.get().change_message


def test_a_key_is_revoked_after_a_second_look(admin_client: Client) -> None:
    key = make_app()
    revoke = reverse("admin:clients_app_revoke", args=[AppKey.objects.get().pk])
    asked = admin_client.get(revoke)
    assert ask(Client(), **bearer(key)).status_code == 200
    revoked = admin_client.post(revoke, follow=True)

    assert asked.status_code == revoked.status_code == 200
    assert key[:11] in revoked.content.decode()
    assert admin_client.post(revoke).status_code == 404
    assert_refused(ask(Client(), **bearer(key)))


def test_anonymous_is_limited_but_keeps_its_name_and_has_no_key(admin_client: Client) -> None:
    page = reverse("admin:clients_app_change", args=[ANONYMOUS_ID])
    admin_client.post(page, {"name": "else", "is_active": "on", "new_photos_per_day": "9"})
    rotate = admin_client.get(reverse("admin:clients_app_rotate", args=[ANONYMOUS_ID]))

    anonymous = App.objects.get(pk=ANONYMOUS_ID)
    assert (anonymous.name, anonymous.new_photos_per_day) == ("anonymous", 9)
    assert rotate.status_code == 404


def test_an_open_form_does_not_switch_an_app_on_again(admin_client: Client) -> None:
    key = make_app("camera", "--new-photos-per-day", "500", "--trusted")
    form = input_values(admin_client.get(change_page()).content.decode())
    run("create_app", "camera", "--off", "--new-photos-per-day", "5", "--cost-per-day", "2.5")
    saved = admin_client.post(change_page(), form | {"contact": "anna"})

    assert saved.status_code == 302
    app = App.objects.get(name="camera")
    assert (app.is_active, app.is_trusted, app.contact) == (False, True, "anna")
    assert (app.new_photos_per_day, app.cost_per_day) == (5, Decimal("2.5"))
    assert_refused(ask(Client(), **bearer(key)))


def test_an_open_form_does_not_undo_a_limit_that_came_meanwhile(admin_client: Client) -> None:
    make_app("camera", "--new-photos-per-day", "500")
    form = input_values(admin_client.get(change_page()).content.decode())
    run("create_app", "camera", "--new-photos-per-day", "5", "--requests-per-minute", "60")
    changes = {"new_photos_per_day": "1000", "requests_per_minute": "60"}
    page = admin_client.post(change_page(), form | changes)

    assert page.content.decode().count("请刷新页面后再修改") == 1
    assert App.objects.get(name="camera").new_photos_per_day == 5
    form = input_values(admin_client.get(change_page()).content.decode())
    admin_client.post(change_page(), form | changes | {"is_active": ""})
    app = App.objects.get(name="camera")
    assert (app.is_active, app.new_photos_per_day, app.requests_per_minute) == (False, 1000, 60)


def test_no_app_is_deleted(admin_client: Client) -> None:
    make_app()
    delete = reverse("admin:clients_app_delete", args=[App.objects.get(name="camera").pk])

    assert admin_client.post(delete, {"post": "yes"}).status_code == 403


def test_who_may_only_see_changes_nothing(client: Client) -> None:
    make_app()
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_app"))
    client.force_login(viewer)
    app, key = App.objects.get(name="camera"), AppKey.objects.get()
    page = client.get(change_page())
    refused = [
        client.post(reverse("admin:clients_app_add"), FORM),
        client.post(change_page(), FORM),
        client.post(reverse("admin:clients_app_rotate", args=[app.pk]), {"overlap_days": "1"}),
        client.post(reverse("admin:clients_app_revoke", args=[key.pk])),
    ]

    assert page.status_code == 200
    assert "/rotate/" not in page.content.decode()
    assert [answer.status_code for answer in refused] == [403] * 4
    assert AppKey.objects.get().is_usable
