"""Every alert fires, is not repeated, and is resolved: sent to people and to robots on loopback."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings

from classification.choices import DEMO
from classification.models import ModelCall, RequestLog, ServerProcess, SpendingDay
from clients.models import App, QuotaCounter
from core.database.locks import exclusive
from operations.alerts import evaluation
from operations.alerts.webhooks import Webhook
from operations.models import AlertState
from quality.models import DayAgreement
from stats.rollup import chunks
from tests.support.ports import free_port
from tests.support.processes import a_process, paused
from tests.support.robots import Robots

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 25, 12, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
SECRET = "SECof-the-robot"
End = Callable[[], object]
Clock = time_machine.Traveller


@pytest.fixture
def robots(settings: Settings, tmp_path: Path) -> Iterator[Robots]:
    """One robot of each kind and one mailbox, as the channels."""
    with Robots() as robots:
        settings.STATE_DIR = tmp_path
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


def an_apps_use(used: int) -> Callable[[Settings], End]:
    def begin(settings: Settings) -> End:
        app = App.objects.create(name="camera", new_photos_per_day=10)
        QuotaCounter.objects.create(day="2026-11-25", app=app, scope="app", new_photos=used)
        return lambda: QuotaCounter.objects.update(new_photos=0) and None

    return begin


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


def disagreement(settings: Settings) -> End:
    """Users with tokens agree less than they did; of the others there are too few votes."""
    for day, voter, votes, agreeing in (
        ("2026-11-10", "token", 200, 180),
        ("2026-11-19", "token", 100, 60),
        ("2026-11-10", "name", 500, 500),
        ("2026-11-19", "name", 99, 0),
    ):
        DayAgreement.objects.create(
            day=day,
            model="qwen3-vl-plus",
            prompt_version=1,
            category="pets",
            voter=voter,
            votes=votes,
            agreeing=agreeing,
        )
    return DayAgreement.objects.all().delete


def process_with(**fields: Any) -> Callable[[Settings], End]:
    def begin(settings: Settings) -> End:
        process = a_process(2, **fields)
        return process.delete

    return begin


def paused_by(code: str, cause: str) -> Callable[[Settings], End]:
    return lambda settings: process_with(**paused(code, cause))(settings)


def nobody(settings: Settings) -> End:
    ServerProcess.objects.all().delete()
    return lambda: a_process(1)


OPERATORS = "model_not_configured"
ALERTS: dict[str, tuple[Callable[[Settings], End], str, str]] = {
    "今日花费超过告警线": (a_cost, "今日已花费 ¥5.20，告警线为 ¥5.00", "DAILY_COST_LIMIT"),
    "已达今日花费上限": (a_limit, "上限 ¥5.00 已用 ¥5.00", "调高 DAILY_COST_LIMIT"),
    "失败的请求过多": (failures, "25 个请求中有 10 个失败（40.0%）", "model_timeout 10"),
    "命中率下降": (misses, "最近一小时为 33.3%，前几天同一时段为 90.0%", "是否删除了缓存"),
    "用户认可率下降": (
        disagreement,
        "持令牌的用户：最近 7 天为 60.0%，此前 4 周为 90.0%。\n",
        "是否发布了提示词",
    ),
    "已暂停调用模型": (
        paused_by("model_timeout", ""),
        "2 个进程中有 1 个自 11-25 11:58 起暂停调用模型：模型响应超时",
        "每 30 秒试探一次",
    ),
    "密钥被拒绝": (paused_by(OPERATORS, "key_refused"), "有 1 个", "LLM_API_KEY"),
    "账户欠费": (paused_by(OPERATORS, "account_unpaid"), "有 1 个", "充值"),
    "免费额度已用完": (
        paused_by(OPERATORS, "quota_used_up"),
        "有 1 个",
        "开通付费使用",
    ),
    "模型已下线，或此账户无权使用": (
        process_with(denied_models="qwen-vl-plus"),
        "已跳过：qwen-vl-plus",
        "LLM_MODEL",
    ),
    "日志正在丢失或即将丢失": (
        process_with(rows_waiting=50_000, rows_dropped=12, dropped_at=NOON),
        "50000 条日志等待写入数据库，12 条已丢失",
        "检查数据库的负载",
    ),
    "应用即将达到今日限额": (an_apps_use(8), "camera：已用 8 / 10 张新照片", "应用页面"),
    "应用已达到今日限额": (an_apps_use(10), "camera：已用 10 / 10 张新照片", "应用页面"),
    "服务没有运行": (nobody, "没有任何服务进程报告状态", "systemctl status"),
}


@pytest.mark.parametrize("title", ALERTS)
def test_an_alert_fires_once_and_is_resolved(
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


def test_an_alert_that_lasts_is_repeated_hourly(robots: Robots, clock: Clock) -> None:
    for _ in range(3 * 6):
        check()
        clock.shift(600)

    subjects = [message.subject for message in mail.outbox]
    assert (
        subjects
        == ["【照片分类服务】告警：服务没有运行"] + ["【照片分类服务】仍未恢复：服务没有运行"] * 2
    )


def test_an_alert_that_comes_and_goes_within_minutes_is_one_alert(
    robots: Robots, clock: Clock
) -> None:
    for _ in range(10):
        check()
        clock.shift(60)
        process = a_process(1)
        check()
        process.delete()
        clock.shift(60)

    assert len(mail.outbox) == 1


def test_several_alerts_are_one_message(robots: Robots, clock: Clock) -> None:
    a_process(1, **paused("model_not_configured", "key_refused"))
    a_process(2, **paused("model_timeout"))
    check()

    [message] = mail.outbox
    assert message.subject == "【照片分类服务】告警：已暂停调用模型（另有 1 条）"
    assert message.to == ["lin@example.com", "wang@example.com"]
    assert "告警：密钥被拒绝" in message.body


def test_each_robot_is_sent_its_own_format_signed(robots: Robots, clock: Clock) -> None:
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


def test_a_channel_that_is_down_is_retried_and_does_not_hold_up_others(
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
    assert str(failed.value) == "Not delivered to dingtalk 127.0.0.1, wecom 127.0.0.1."
    assert "An alert was not delivered to dingtalk 127.0.0.1: ConnectionError" in caplog.text
    assert "An alert was not delivered to wecom 127.0.0.1: HTTP 200, code 310000" in caplog.text
    assert "hunter2" not in caplog.text
    assert "t0ken" not in caplog.text
    assert not AlertState.objects.filter(channel__contains="t0ken").exists()


def test_a_mail_server_that_is_down_is_retried(
    robots: Robots, clock: Clock, settings: Settings
) -> None:
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    with pytest.raises(CommandError, match=r"Not delivered to e-mail\."):
        check()
    settings.EMAIL_BACKEND = working
    check()

    assert len(mail.outbox) == 1
    assert len(robots.texts("/wecom")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_outage_is_reported_without_the_database(robots: Robots, clock: Clock) -> None:
    def rename(old: str, new: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")

    a_process(1)
    rename("alert_state", "alert_state_away")
    try:
        for _ in range(10):
            check()
            clock.shift(60)
    finally:
        rename("alert_state_away", "alert_state")
    for _ in range(10):
        check()
        clock.shift(60)

    begins, ends = [f"{message.subject}\n{message.body}" for message in mail.outbox]
    assert begins.startswith("【照片分类服务】告警：数据库没有响应\n")
    assert "磁盘是否已满" in begins
    assert "已恢复：数据库没有响应" in ends
    assert len(robots.messages) == 2 * 3


def test_a_healthy_service_leaves_no_state(robots: Robots, clock: Clock, tmp_path: Path) -> None:
    a_process(1)

    assert check() == ""
    assert list(tmp_path.iterdir()) == []
    assert not AlertState.objects.exists()


@pytest.mark.parametrize("text", ["", "[{", "[{}]", "[1]", "null", '[{"condition": "database"}]'])
def test_a_state_file_that_cannot_be_read_stops_no_check(
    robots: Robots, tmp_path: Path, text: str
) -> None:
    """After a power cut, or when another release wrote it."""
    (tmp_path / "alerts.json").write_text(text)
    assert "no_process" in check()

    with mock.patch.object(evaluation, "alerts", side_effect=OperationalError(2002)):
        for _ in range(2):
            assert "database" in check()
    assert [message.subject for message in mail.outbox] == [
        "【照片分类服务】告警：服务没有运行",
        "【照片分类服务】告警：数据库没有响应",
    ]


def test_a_check_that_another_one_keeps_out_says_so_in_its_status(
    robots: Robots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "WAIT_SECONDS", 0)
    begun, ended = threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive("alerts", wait_seconds=0) as held:
            assert held
            begun.set()
            ended.wait(30)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(hold)
        assert begun.wait(30)
        with pytest.raises(CommandError, match="did nothing") as kept_out:
            check()
        assert kept_out.value.returncode == 75
        assert mail.outbox == []
        ended.set()
        other.result(30)
    check()

    assert len(mail.outbox) == 1


def test_a_clock_that_was_ahead_silences_nothing(robots: Robots, clock: Clock) -> None:
    """As after a change of TIME_ZONE, and when the database's clock is set right."""
    clock.move_to(NOON + timedelta(hours=8))
    check()
    clock.move_to(NOON)
    for _ in range(2):
        check()
        clock.shift(60)
    told = [message.subject for message in mail.outbox]
    process = a_process(1)
    clock.shift(360)
    check()
    process.delete()
    ended = [message.body for message in mail.outbox[len(told) :]]

    assert told == ["【照片分类服务】告警：服务没有运行", "【照片分类服务】仍未恢复：服务没有运行"]
    assert len(ended) == 1
    assert "11-25 12:0" in ended[0]
    assert "11-25 20:" not in ended[0]


def test_a_test_message_reaches_every_channel(robots: Robots) -> None:
    call_command("check_alerts", "--test")

    assert mail.outbox[0].subject == "【照片分类服务】告警测试"
    assert len(robots.messages) == 3


def test_staff_see_the_channels_but_no_password(
    robots: Robots, settings: Settings, admin_client: Any
) -> None:
    settings.EMAIL_URL = "smtp+tls://robot:hunter2@mail.example.com:587"
    page = admin_client.get("/settings/").content.decode()

    assert "dingtalk 127.0.0.1, feishu 127.0.0.1, wecom 127.0.0.1" in page
    assert "smtp+tls://mail.example.com:587" in page
    assert [secret for secret in ("hunter2", "t0ken", SECRET) if secret in page] == []


def test_the_hit_rate_is_compared_with_the_days_that_are_kept(
    robots: Robots, settings: Settings, clock: Clock
) -> None:
    a_process(1)
    misses(settings)
    for _ in range(2):
        list(chunks.roll_up())
        clock.shift(20)  # rows have settled
    call_command("purge_request_log", "--older-than=3d", stdout=StringIO())
    check()

    assert not RequestLog.objects.filter(created_at__lt=NOON - timedelta(days=4)).exists()
    assert "命中率" in mail.outbox[0].subject


def test_made_up_requests_alert_nobody(settings: Settings) -> None:
    settings.ALERT_DAILY_COST = Decimal("0.01")
    call_command("seed_demo_data", "--days=1", "--requests=300")
    now = timezone.now()
    for number in range(30):
        RequestLog.objects.create(
            request_id=f"{DEMO}late{number}", outcome="model_timeout", created_at=now
        )
    firing = {rule.name for rule, alert in evaluation.alerts().items() if alert}

    assert firing & {"daily_cost", "failure_rate", "hit_rate"} == set()
