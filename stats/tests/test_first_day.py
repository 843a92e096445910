"""The card with the first steps, until they are done or put away."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from classification.models import ModelCall

pytestmark = pytest.mark.django_db

TITLE = "快速上手"


def dashboard(client: Client) -> str:
    return client.get("/").content.decode()


def test_each_step_is_ticked_off_and_the_card_goes_with_the_last(
    admin_client: Client, settings: Settings
) -> None:
    settings.LLM_PROVIDER, settings.ALERT_EMAILS = "local", []
    assert dashboard(admin_client).count("✓") == 0
    settings.LLM_PROVIDER, settings.ALERT_EMAILS = "aliyun", ["ops@example.com"]
    ModelCall.objects.create(
        request_id="r", image_hash="a" * 64, provider="x", model="m", cost=0, duration_ms=0
    )
    assert dashboard(admin_client).count("✓") == 3
    User.objects.create_user("lin", is_staff=True)

    assert TITLE not in dashboard(admin_client)


def test_the_card_is_put_away_for_everybody(admin_client: Client) -> None:
    other = User.objects.create_superuser("lin")
    client = Client()
    client.force_login(other)
    assert TITLE in dashboard(client)
    admin_client.post("/first-day/dismiss/")

    assert TITLE not in dashboard(client)


def test_the_wall_and_those_who_add_no_accounts_see_no_card(admin_client: Client) -> None:
    viewer = User.objects.create_user("lin", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(viewer)

    assert TITLE not in dashboard(client)
    assert client.post("/first-day/dismiss/").status_code == 403
    assert TITLE not in admin_client.get("/?wall").content.decode()
