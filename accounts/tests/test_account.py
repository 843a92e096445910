"""A member of the staff's own tokens, and light or dark pages."""

import re
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token, TokenProxy

from accounts.models import ApiToken

pytestmark = pytest.mark.django_db

STATS = "/api/v1/stats/today"
PAGE = "/account/tokens/"


def make_token(client: Client, days: int = 90) -> str:
    page = client.post(PAGE, {"name": "backup", "days": days})
    found = re.search(r"<pre[^>]*>([0-9a-f]{40})</pre>", page.content.decode())
    assert found
    assert page["Cache-Control"] == "no-store"
    return found[1]


def ask(key: str) -> Any:
    return Client().get(STATS, headers={"Authorization": f"Bearer {key}"})


def test_a_token_is_shown_once_and_kept_as_a_hash(admin_client: Client) -> None:
    key = make_token(admin_client)
    text = admin_client.get(PAGE).content.decode()

    assert ask(key).status_code == 200
    assert key not in text
    assert key[:6] in text
    token = ApiToken.objects.get()
    assert key not in str(vars(token))
    assert token.last_used_at
    assert key not in " ".join(f"{entry} {entry.object_repr}" for entry in LogEntry.objects.all())


def test_a_token_ends_with_its_days_its_revocation_and_its_account(
    admin_client: Client, admin_user: User
) -> None:
    ends, revoked, lasts = make_token(admin_client, 30), make_token(admin_client), ""
    lasts = make_token(admin_client, 0)
    token = ApiToken.objects.get(begins_with=revoked[:6])
    admin_client.post(f"{PAGE}{token.pk}/revoke/")

    assert ask(revoked).status_code == 401
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert ask(ends).status_code == 401
        assert ask(lasts).status_code == 200
    User.objects.update(is_active=False)
    assert ask(lasts).status_code == 401


def test_an_older_token_goes_on_until_it_is_revoked(admin_client: Client, admin_user: User) -> None:
    older = Token.objects.create(user=admin_user)
    assert ask(older.key).status_code == 200
    assert older.key not in admin_client.get(PAGE).content.decode()
    admin_client.post(f"{PAGE}older/revoke/")

    assert ask(older.key).status_code == 401


def test_the_admin_tells_an_older_token_once_and_then_its_beginning(
    admin_client: Client,
) -> None:
    lin = User.objects.create_user("lin", is_staff=True)
    tokens = "/admin/authtoken/tokenproxy/"
    own = f"{tokens}{lin.pk}/"
    added = admin_client.post(f"{tokens}add/", {"user": lin.pk}, follow=True)
    key = Token.objects.get().key
    assert key in added.content.decode()
    admin_client.post(f"{own}change/", {"user": lin.pk}, follow=True)
    user = f"/admin/auth/user/{lin.pk}/delete/"  # lists what goes with an account
    for address in (tokens, f"{own}change/", f"{own}delete/", f"{own}history/", user, "/admin/"):
        page = admin_client.get(address).content.decode()
        assert f"{key[:6]}…" in page, address
        assert key[:7] not in page, address
    gone = admin_client.post(f"{own}delete/", {"post": "yes"}, follow=True)

    assert key[:7] not in gone.content.decode()
    told = LogEntry.objects.values_list("object_repr", flat=True)
    assert list(told) == [f"{key[:6]}…"] * 3


def test_keys_that_were_written_down_are_shortened(admin_user: User) -> None:
    key, other = "0123456789" * 4, "89abcdef" * 5
    for model, object_id, text in (
        (TokenProxy, "1", key),
        (Token, other, other),  # before tokens went by their users
        (Token, "1", "Token of lin"),
        (User, "2", key),  # somebody's name
    ):
        kind = ContentType.objects.get_for_model(model, for_concrete_model=False)
        LogEntry.objects.create(
            user=admin_user,
            content_type=kind,
            object_id=object_id,
            object_repr=text,
            action_flag=1,
        )
    import_module("accounts.migrations.0003_hide_keys").shorten_keys(apps, None)

    assert list(LogEntry.objects.order_by("pk").values_list("object_id", "object_repr")) == [
        ("1", "012345…"),
        ("89abcd…", "89abcd…"),
        ("1", "Token of lin"),
        ("2", key),
    ]


def test_nobody_revokes_the_token_of_somebody_else(admin_client: Client) -> None:
    other = User.objects.create_user("lin", is_staff=True)
    token, key = ApiToken.objects.make(other, "mine", None)

    assert admin_client.post(f"{PAGE}{token.pk}/revoke/").status_code == 404
    assert key[:6] not in admin_client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("wanted", "shown"), [("dark", "dark"), ("light", "light"), ("system", ""), ("<b>", "")]
)
def test_the_pages_are_light_or_dark_as_chosen(
    admin_client: Client, wanted: str, shown: str
) -> None:
    reply = admin_client.post("/account/theme/", {"theme": wanted, "next": "/settings/"})

    assert reply["Location"] == "/settings/"
    page = admin_client.get("/settings/").content.decode()
    assert f'data-theme="{shown}"' in page
    assert ("css/dark.css" in page) == (shown != "light")
    assert ("prefers-color-scheme" in page) == (shown == "")


def test_choosing_leads_to_no_other_site(admin_client: Client) -> None:
    reply = admin_client.post("/account/theme/", {"theme": "dark", "next": "https://example.com/"})

    assert reply["Location"] == "/"
