"""What the dashboard says about all processes, whichever of them is asked."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from classification.models import ServerProcess
from classification.tests.dashscope_server import DashScopeServer

pytestmark = pytest.mark.django_db


def a_process(number: int, *, seen_seconds_ago: int = 3, **fields: Any) -> ServerProcess:
    now = timezone.now()
    defaults = {
        "token": f"{number}",
        "host": f"host-{number % 2}",
        "pid": number,
        "version": "1",
        "started_at": now - timedelta(hours=1),
        "seen_at": now - timedelta(seconds=seen_seconds_ago),
        "model_state": "available",
        "calls_in_flight": 0,
        "rows_waiting": 0,
        "rows_dropped": 0,
    }
    return ServerProcess.objects.create(**defaults | fields)


def resting(code: str, cause: str = "") -> dict[str, Any]:
    now = timezone.now()
    since = {"rest_since": now - timedelta(minutes=2), "rest_until": now}
    return {"model_state": "failing", "rest_code": code, "rest_cause": cause} | since


def status_panel(staff: Client) -> str:
    page = staff.get("/").content.decode()
    return " ".join(page[page.index('id="status"') : page.index('id="today"')].split())


def test_it_counts_the_living_on_all_hosts(staff: Client, model: DashScopeServer) -> None:
    a_process(1, rows_waiting=1200, calls_in_flight=3)
    a_process(2, rows_waiting=34, rows_dropped=7)
    a_process(3, seen_seconds_ago=31, rows_dropped=1000)
    text = status_panel(staff)

    assert "3 个（3 台主机）" in text  # with the one that answers
    assert "1,234" in text
    assert ">7</b>" in text
    assert "暂停调用模型" not in text


def test_it_says_for_how_many_calls_rest_why_and_what_to_do(
    staff: Client, model: DashScopeServer
) -> None:
    a_process(1, **resting("model_not_configured", "key_refused"))
    a_process(2, **resting("model_timeout"))
    a_process(3)
    text = status_panel(staff)

    assert "部分进程出现故障" in text
    assert "4 个进程中有 1 个自" in text
    assert "密钥被拒绝" in text
    assert "请检查 LLM_API_KEY" in text
    assert "模型未能及时作答" in text


def test_it_names_models_that_are_left_out(staff: Client, model: DashScopeServer) -> None:
    a_process(1, denied_models="qwen-vl-plus")

    assert "暂时跳过：qwen-vl-plus" in status_panel(staff)
