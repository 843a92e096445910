"""A model's last day is announced ahead, and told where people look."""

import io
import json
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from classification.models import ServerProcess
from classification.providers.model_table.reading import read_table
from tests.support.dashscope_server import DashScopeServer
from tests.support.processes import a_process

pytestmark = pytest.mark.django_db

LAST_DAY = date(2027, 3, 1)
REPLACED = "qwen-vl-plus was retired on 2026-10-10; qwen3-vl-plus is used instead."


@pytest.fixture
def retiring(settings: Settings, model: DashScopeServer, tmp_path: Path) -> None:
    """The default model has a last day."""
    file = tmp_path / "models.toml"
    file.write_text(f'["qwen3-vl-plus"]\nretired = {LAST_DAY}')
    settings.MODEL_TABLE = read_table(file)
    settings.VAR_DIR = tmp_path
    settings.ALERT_EMAILS = ["lin@example.com"]


def told_on(day: date) -> list[str]:
    """What people are told at the checks of a day."""
    mail.outbox.clear()
    start = datetime.combine(day, datetime.min.time()).astimezone(timezone.get_current_timezone())
    with time_machine.travel(start, tick=False) as clock:
        for _ in range(4):
            ServerProcess.objects.update(seen_at=timezone.now())
            call_command("check_alerts", stdout=StringIO())
            clock.shift(6 * 3600 - 1)
    return [f"{message.subject}\n{message.body}" for message in mail.outbox]


@pytest.mark.usefixtures("retiring")
def test_people_are_told_90_30_and_7_days_before_and_on_the_day() -> None:
    a_process(1)
    ahead = (91, 90, 89, 31, 30, 29, 8, 7, 6, 1, 0, -1)
    days = [LAST_DAY - timedelta(days=number) for number in ahead]
    told = {(LAST_DAY - day).days: news for day in days if (news := told_on(day))}

    assert list(told) == [90, 30, 7, 0]
    for number, [letter] in told.items():
        assert "qwen3-vl-plus" in letter
        assert "qwen3.6-plus" in letter
        assert "2027-03-01" in letter
        assert number == 0 or f"{number} 天" in letter


def findings() -> dict[str, tuple[str, str]]:
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--json", stdout=out)
    rows = json.loads(out.getvalue())
    return {f"{row['subject']}: {row['message']}": (row["level"], row["advice"]) for row in rows}


def test_the_doctor_tells_of_a_replaced_model_and_examines_the_one_that_is_asked(
    settings: Settings, model: DashScopeServer
) -> None:
    settings.LLM_MODEL = "qwen-vl-plus"
    level, advice = findings()[f"model: {REPLACED}"]

    assert (level, "LLM_MODEL" in advice) == ("warning", True)
    assert {request.body["model"] for request in model.requests} == {"qwen3-vl-plus"}


def test_the_doctor_knows_the_price_and_its_source(
    settings: Settings, model: DashScopeServer
) -> None:
    [known] = [text for text in findings() if text.startswith("price")]
    settings.LLM_MODEL = "a-model-that-no-table-has"
    [unknown] = [text for text in findings() if text.startswith("price")]

    assert "qwen3-vl-plus: 1 yuan per million tokens of input, 10 of output" in known
    assert "help.aliyun.com" in known
    assert findings()[unknown][0] == "warning"
    assert "0.01 yuan" in unknown
