"""Every alert begins, is not repeated, and ends: told to people and to robots on loopback."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from classification.models import ModelCall, RequestLog, ServerProcess, SpendingDay
from classification.tests.ports import free_port
from operations.alerts.webhooks import Webhook
from operations.models import AlertLease, AlertState
from operations.tests.robots import Robots
from stats.tests.test_service import a_process, resting

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 25, 12, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
SECRET = "SECof-the-robot"
End = Callable[[], object]
Clock = time_machine.Traveller


@pytest.fixture
def robots(settings: Settings, tmp_path: Path) -> Iterator[Robots]:
    """One robot of each kind and one mailbox, who are told."""
    with Robots() as robots:
        settings.VAR_DIR = tmp_path
        settings.ALERT_EMAILS = ["lin@example.com", "wang@example.com"]
        settings.ALERT_WEBHOOKS = [
            Webhook("dingtalk", f"{robots.url}/dingtalk?access_token=t0ken", SECRET),
            Webhook("feishu", f"{robots.url}/feishu/t0ken", SECRET),
            Webhook("wecom", f"{robots.url}/wecom?key=t0ken"),
        ]
        yield robots


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def check() -> str:
    """What the command prints; the processes that live have just written."""
    ServerProcess.objects.update(seen_at=timezone.now())
    output = StringIO()
    call_command("check_alerts", stdout=output)
    return output.getvalue()


def requests(count: int, **fields: Any) -> None:
    now = timezone.now()
    defaults = {"request_id": "r", "outcome": "ok", "created_at": now}
    RequestLog.objects.bulk_create(RequestLog(**defaults | fields) for _ in range(count))


def a_call(cost: str) -> None:
    ModelCall.objects.create(
        request_id="r", model="m", outcome="ok", billed="yes", cost=Decimal(cost), duration_ms=1
    )


def a_cost(settings: Settings) -> End:
    settings.ALERT_DAILY_COST = Decimal("5")
    a_call("5.2")
    return lambda: setattr(settings, "ALERT_DAILY_COST", Decimal("50"))


def a_limit(settings: Settings) -> End:
    settings.LLM_PROVIDER, settings.DAILY_COST_LIMIT = "aliyun", Decimal("5")
    SpendingDay.objects.create(day="2026-11-25", spent=5_000_000)
    return lambda: setattr(settings, "DAILY_COST_LIMIT", Decimal("50"))


def failures(settings: Settings) -> End:
    requests(15)
    requests(10, outcome="model_timeout")
    return lambda: requests(100)


def misses(settings: Settings) -> End:
    """Nine of ten were hits at this hour for a week; now a third is."""
    for days in range(1, 8):
        before = timezone.now() - timedelta(days=days, minutes=20)
        requests(45, from_cache=True, created_at=before)
        requests(5, created_at=before)
    lately = timezone.now() - timedelta(minutes=5)
    requests(40, from_cache=True, created_at=lately)
    requests(80, created_at=lately)
    return lambda: requests(2000, from_cache=True)


def process_with(**fields: Any) -> Callable[[Settings], End]:
    def begin(settings: Settings) -> End:
        process = a_process(2, **fields)
        return process.delete

    return begin


def resting_for(code: str, cause: str) -> Callable[[Settings], End]:
    return lambda settings: process_with(**resting(code, cause))(settings)


def nobody(settings: Settings) -> End:
    ServerProcess.objects.all().delete()
    return lambda: a_process(1)


OPERATORS = "model_not_configured"
ALERTS: dict[str, tuple[Callable[[Settings], End], str, str]] = {
    "今日花费超过告警线": (a_cost, "今日已花费 ¥5.20，告警线为 ¥5.00", "DAILY_COST_LIMIT"),
    "已达今日花费上限": (a_limit, "上限 ¥5.00 已用 ¥5.00", "调高 DAILY_COST_LIMIT"),
    "失败的请求过多": (failures, "25 个请求中有 10 个失败（40.0%）", "model_timeout 10"),
    "命中率下降": (misses, "最近一小时为 33.3%，前几天同一时段为 90.0%", "是否清除了缓存"),
    "已暂停调用模型": (
        resting_for("model_timeout", ""),
        "2 个进程中有 1 个自 11-25 11:58 起暂停调用模型：模型未能及时作答",
        "每半分钟会试探一次",
    ),
    "密钥被拒绝": (resting_for(OPERATORS, "key_refused"), "有 1 个", "LLM_API_KEY"),
    "账户欠费": (resting_for(OPERATORS, "account_unpaid"), "有 1 个", "充值"),
    "免费额度已用完": (
        resting_for(OPERATORS, "quota_used_up"),
        "有 1 个",
        "开通付费使用",
    ),
    "模型已下线，或此账户无权使用": (
        process_with(denied_models="qwen-vl-plus"),
        "暂时跳过：qwen-vl-plus",
        "LLM_MODEL",
    ),
    "日志正在丢失或即将丢失": (
        process_with(rows_waiting=50_000, rows_dropped=12, dropped_at=NOON),
        "50000 条日志等待写入数据库，12 条已丢失",
        "检查数据库的负载",
    ),
    "服务没有运行": (nobody, "没有任何服务进程报告状态", "systemctl status"),
}


@pytest.mark.parametrize("title", ALERTS)
def test_an_alert_begins_is_not_repeated_within_the_hour_and_ends(
    robots: Robots, clock: Clock, settings: Settings, title: str
) -> None:
    begin, detail, advice = ALERTS[title]
    a_process(1)
    assert check() == ""
    end = begin(settings)

    def each_minute(count: int) -> list[str]:
        """What people are told in so many minutes."""
        mail.outbox.clear()
        for _ in range(count):
            check()
            clock.shift(60)
        return [f"{message.subject}\n{message.body}" for message in mail.outbox]

    [told] = each_minute(5)
    assert told.startswith(f"【照片分类服务】告警：{title}\n")
    assert detail in told
    assert advice in told
    assert "处理办法：" in told
    assert "开始时间：11-25 12:00" in told
    end()
    clock.shift(3600)
    [over] = each_minute(10)
    assert f"已恢复：{title}" in over
    assert "持续时间：11-25 12:00 至 11-25 1" in over
    assert not AlertState.objects.exists()
    for path in ("/dingtalk", "/feishu/t0ken", "/wecom"):
        begins, ends = robots.texts(path)
        assert f"告警：{title}" in begins
        assert detail in begins
        assert f"已恢复：{title}" in ends


def test_what_lasts_is_told_again_each_hour(robots: Robots, clock: Clock) -> None:
    for _ in range(3 * 6):
        check()
        clock.shift(600)

    subjects = [message.subject for message in mail.outbox]
    assert (
        subjects
        == ["【照片分类服务】告警：服务没有运行"] + ["【照片分类服务】仍未恢复：服务没有运行"] * 2
    )


def test_what_comes_and_goes_within_minutes_is_one_alert(robots: Robots, clock: Clock) -> None:
    for _ in range(10):
        check()
        clock.shift(60)
        process = a_process(1)
        check()
        process.delete()
        clock.shift(60)

    assert len(mail.outbox) == 1


def test_several_troubles_are_one_message(robots: Robots, clock: Clock) -> None:
    a_process(1, **resting("model_not_configured", "key_refused"))
    a_process(2, **resting("model_timeout"))
    check()

    [message] = mail.outbox
    assert message.subject == "【照片分类服务】告警：已暂停调用模型（另有 1 条）"
    assert message.to == ["lin@example.com", "wang@example.com"]
    assert "告警：密钥被拒绝" in message.body


def test_robots_are_sent_their_own_formats_signed(robots: Robots, clock: Clock) -> None:
    check()
    messages = {message.path: message for message in robots.messages}
    text = robots.texts("/wecom")[0]
    seconds = int(NOON.timestamp())

    dingtalk = messages["/dingtalk"]
    assert dingtalk.body == {"msgtype": "text", "text": {"content": text}}
    signed = hmac.new(SECRET.encode(), f"{seconds}000\n{SECRET}".encode(), hashlib.sha256)
    assert dingtalk.query == {
        "access_token": ["t0ken"],
        "timestamp": [f"{seconds}000"],
        "sign": [base64.b64encode(signed.digest()).decode()],
    }
    signed = hmac.new(f"{seconds}\n{SECRET}".encode(), b"", hashlib.sha256)
    assert messages["/feishu/t0ken"].body == {
        "msg_type": "text",
        "content": {"text": text},
        "timestamp": str(seconds),
        "sign": base64.b64encode(signed.digest()).decode(),
    }
    assert messages["/wecom"].body == {"msgtype": "text", "text": {"content": text}}
    assert messages["/wecom"].query == {"key": ["t0ken"]}


def test_a_receiver_that_is_down_is_tried_again_and_stops_nobody(
    robots: Robots, clock: Clock, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/send?access_token=hunter2"
    settings.ALERT_WEBHOOKS = [Webhook("dingtalk", nowhere), *settings.ALERT_WEBHOOKS]
    robots.refusing = {"/wecom"}
    for _ in range(2):
        with pytest.raises(CommandError) as failed:
            check()
        clock.shift(60)
    robots.refusing.clear()
    with pytest.raises(CommandError):
        check()

    assert len(robots.texts("/feishu/t0ken")) == len(robots.texts("/wecom")) == 1
    assert len(mail.outbox) == 1
    assert str(failed.value) == "Could not be told: dingtalk 127.0.0.1, wecom 127.0.0.1."
    assert "dingtalk 127.0.0.1 could not be told of an alert: ConnectionError" in caplog.text
    assert "wecom 127.0.0.1 could not be told of an alert: HTTP 200, code 310000" in caplog.text
    assert "hunter2" not in caplog.text
    assert "t0ken" not in caplog.text
    assert not AlertState.objects.filter(receiver__contains="t0ken").exists()


def test_a_mail_server_that_is_away_is_tried_again(
    robots: Robots, clock: Clock, settings: Settings
) -> None:
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    with pytest.raises(CommandError, match=r"Could not be told: e-mail\."):
        check()
    settings.EMAIL_BACKEND = working
    check()

    assert len(mail.outbox) == 1
    assert len(robots.texts("/wecom")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_in_trouble_is_told_of_without_it(robots: Robots, clock: Clock) -> None:
    def rename(old: str, new: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")

    a_process(1)
    rename("alert_lease", "alert_lease_away")
    try:
        for _ in range(10):
            check()
            clock.shift(60)
    finally:
        rename("alert_lease_away", "alert_lease")
    for _ in range(10):
        check()
        clock.shift(60)

    begins, ends = [f"{message.subject}\n{message.body}" for message in mail.outbox]
    assert begins.startswith("【照片分类服务】告警：数据库没有响应\n")
    assert "磁盘是否已满" in begins
    assert "已恢复：数据库没有响应" in ends
    assert len(robots.messages) == 2 * 3


def test_all_being_well_leaves_nothing_behind(robots: Robots, clock: Clock, tmp_path: Path) -> None:
    a_process(1)

    assert check() == ""
    assert list(tmp_path.iterdir()) == []
    assert not AlertState.objects.exists()


def test_another_hosts_check_is_left_alone(robots: Robots, clock: Clock) -> None:
    AlertLease.objects.create(pk=1, busy_until=NOON + timedelta(seconds=20))
    assert check() == "Another check is under way.\n"
    assert mail.outbox == []
    clock.shift(21)  # it died
    check()

    assert len(mail.outbox) == 1


def test_a_trial_reaches_everybody(robots: Robots) -> None:
    call_command("check_alerts", "--test")

    assert mail.outbox[0].subject == "【照片分类服务】告警测试"
    assert len(robots.messages) == 3


def test_staff_see_who_is_told_but_no_password(
    robots: Robots, settings: Settings, admin_client: Any
) -> None:
    settings.EMAIL_URL = "smtp+tls://robot:hunter2@mail.example.com:587"
    page = admin_client.get("/settings/").content.decode()

    assert "dingtalk 127.0.0.1, feishu 127.0.0.1, wecom 127.0.0.1" in page
    assert "smtp+tls://mail.example.com:587" in page
    assert [secret for secret in ("hunter2", "t0ken", SECRET) if secret in page] == []
