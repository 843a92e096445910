"""The one state of the installation, and the page that has all of it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from classification.models import ModelCall, RequestLog
from tests.support.dashscope_server import DashScopeServer
from tests.support.processes import a_process, paused

pytestmark = pytest.mark.django_db


def state(client: Client) -> str:
    """The state's level, as the dashboard has it."""
    found = re.search(r'id="state"\s+class="verdict (\w+)"', client.get("/").content.decode())
    assert found
    return found[1]


def text(client: Client, address: str = "/status/") -> str:
    return " ".join(client.get(address).content.decode().split())


def test_nothing_wrong_is_green(admin_client: Client, model: DashScopeServer) -> None:
    a_process(1)

    assert state(admin_client) == "good"


def test_one_paused_process_of_several_degrades(
    admin_client: Client, model: DashScopeServer
) -> None:
    a_process(1, **paused("model_timeout"))
    a_process(2)

    assert state(admin_client) == "warn"
    assert "3 个进程中有 1 个" in text(admin_client, "/")
    assert "host-1 1" in text(admin_client, "/")


@pytest.mark.parametrize(("on_failure", "level"), [("error", "bad"), ("local", "warn")])
def test_it_is_down_where_no_new_photo_is_answered(
    admin_client: Client, settings: Settings, on_failure: str, level: str
) -> None:
    settings.LLM_PROVIDER, settings.LLM_API_KEY = "aliyun", ""
    settings.ON_MODEL_FAILURE = on_failure
    a_process(1, model_state="not_configured")

    assert state(admin_client) == level


@pytest.mark.parametrize(("hours", "level"), [(0.5, "warn"), (2, "good"), (-2, "good")])
def test_lost_rows_degrade_for_an_hour(
    admin_client: Client, model: DashScopeServer, hours: float, level: str
) -> None:
    """Also where the process's clock was ahead."""
    a_process(1, rows_dropped=1250, dropped_at=timezone.now() - timedelta(hours=hours))

    assert state(admin_client) == level


def test_an_alert_degrades_and_the_page_says_who_was_told(
    admin_client: Client,
    model: DashScopeServer,
    settings: Settings,
    mailoutbox: list[EmailMessage],
) -> None:
    settings.ALERT_EMAILS = ["ops@example.com"]
    a_process(1)
    for number in range(30):
        RequestLog.objects.create(request_id=f"r{number}", outcome="model_timeout")
    assert state(admin_client) == "good"  # until the timer has seen it
    call_command("check_alerts")
    page = text(admin_client)

    assert len(mailoutbox) == 1
    assert state(admin_client) == "warn"
    assert "失败的请求过多" in page
    assert "<div>e-mail " in page
    assert "ops@example.com" not in page


def test_alerts_are_known_where_nobody_is_told(
    admin_client: Client, model: DashScopeServer
) -> None:
    a_process(1)
    for number in range(30):
        RequestLog.objects.create(request_id=f"r{number}", outcome="model_timeout")
    call_command("check_alerts")

    assert state(admin_client) == "warn"
    assert "告警没有接收人" in text(admin_client)


def test_it_lists_processes_and_the_last_run_of_each_timer(
    admin_client: Client, model: DashScopeServer
) -> None:
    a_process(7, version="9.8.7", rows_waiting=1200, **paused("model_timeout"))
    for command in ("roll_up_stats", "check_alerts", "purge_request_log"):
        assert f"<code>{command}</code>" in text(admin_client)
    assert text(admin_client).count("从未运行") == 3
    call_command("roll_up_stats")
    call_command("purge_request_log", verbosity=0)
    page = text(admin_client)

    assert page.count("从未运行") == 1
    assert timer(page, "roll_up_stats") == "good"
    assert "9.8.7" in page
    assert "1,200" in page
    assert "host-1" in page
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        assert timer(text(admin_client), "roll_up_stats") == "warn"


def timer(page: str, command: str) -> str:
    """How the page marks the last run of a command."""
    found = re.search(rf"<code>{command}</code>.*?state (\w+)", page)
    assert found
    return found[1]


def test_the_doctor_examines_at_the_press_of_a_button(
    admin_client: Client, model: DashScopeServer
) -> None:
    assert "All are applied." not in text(admin_client)
    page = admin_client.post("/status/").content.decode()

    assert "All are applied." in page
    assert not ModelCall.objects.exists()
