"""The dashboard's page, as it is served."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from classification.models import RequestLog

pytestmark = pytest.mark.django_db


def test_a_screen_on_the_wall_stays_logged_in(admin_client: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=10), tick=False) as clock:
        assert admin_client.get("/?wall").status_code == 200
        clock.shift(timedelta(days=10))

        assert admin_client.get("/?wall").status_code == 200


def test_a_session_is_written_once_a_day(admin_client: Client) -> None:
    admin_client.get("/")
    before = Session.objects.values_list("expire_date").get()
    admin_client.get("/")

    assert Session.objects.values_list("expire_date").get() == before


def test_failures_are_told_in_words_beside_todays(admin_client: Client) -> None:
    RequestLog.objects.create(request_id="req_1", outcome="model_timeout")
    RequestLog.objects.create(
        request_id="req_2", outcome="model_timeout", created_at=timezone.now() - timedelta(days=3)
    )
    text = " ".join(admin_client.get("/?days=7").content.decode().split())

    assert "模型未能及时作答。" in text
    assert '<td class="number">1</td> <td class="number">2</td>' in text


@pytest.mark.parametrize("address", ["/", "/?wall", "/?days=90", "/?days=8", "/?days=x"])
def test_an_empty_service_has_a_dashboard(admin_client: Client, address: str) -> None:
    text = admin_client.get(address).content.decode()

    assert "还没有照片被分类" in text
    assert "天没有失败" in text
