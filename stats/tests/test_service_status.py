"""What the dashboard says about all processes, whichever of them is asked."""

import pytest
from django.test import Client

from tests.support.dashscope_server import DashScopeServer
from tests.support.processes import a_process, paused

pytestmark = pytest.mark.django_db


def status_panel(staff: Client) -> str:
    page = staff.get("/").content.decode()
    return " ".join(page[page.index('id="state"') : page.index('id="today"')].split())


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
    a_process(1, **paused("model_not_configured", "key_refused"))
    a_process(2, **paused("model_timeout"))
    a_process(3)
    text = status_panel(staff)

    assert "部分进程已暂停调用模型" in text
    assert "4 个进程中有 1 个自" in text
    assert "密钥被拒绝" in text
    assert "请检查 LLM_API_KEY" in text
    assert "模型响应超时" in text


def test_it_names_models_that_are_left_out(staff: Client, model: DashScopeServer) -> None:
    a_process(1, denied_models="qwen-vl-plus")

    assert "已跳过下线或此账户无权使用的模型：qwen-vl-plus" in status_panel(staff)
