import csv
import io
import json
import re
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from classification.models import RequestLog
from stats import users
from stats.exports import writers
from stats.rollup import chunks
from tests.support.history import A_WHILE, NOW, call, data, log, scatter

pytestmark = pytest.mark.django_db

FIRST, LAST = "2026-02-27", "2026-03-02"


def export(path: Path, *options: str) -> bytes:
    file = path / "export"
    with time_machine.travel(NOW, tick=False), translation.override("zh-hans"):
        call_command(
            "export_stats", f"--from={FIRST}", f"--to={LAST}", f"--output={file}", *options
        )
    return file.read_bytes()


def exported(path: Path, *options: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(export(path, "--format=json", *options))
    return rows


def test_days_are_those_of_the_trend(staff: Client, tmp_path: Path) -> None:
    scatter(11, 60)
    with time_machine.travel(NOW, tick=False):
        trend = data(staff, "trend?days=4")
    rows = exported(tmp_path)

    assert [row["date"] for row in rows] == [row["date"] for row in trend]
    for row, day in zip(rows, trend, strict=True):
        assert {key: pytest.approx(day[key], abs=0.005) for key in row if key != "date"} == {
            key: value for key, value in row.items() if key != "date"
        }


def test_users_are_the_same_before_and_after_they_are_added_up(tmp_path: Path) -> None:
    scatter(12, 60)
    before = exported(tmp_path, "--report=users")
    for number in range(3):
        with time_machine.travel(NOW + number * A_WHILE, tick=False):
            list(chunks.roll_up())
    log(user_id="new")
    after = exported(tmp_path, "--report=users")

    assert {row["user_id"] for row in before} == {"a", "b", "c", "d", "e"}
    assert after[:-1] == before
    assert after[-1]["user_id"] == "new"
    assert sum(row["request_count"] for row in before) > 20


def test_users_are_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scatter(13, 60)
    monkeypatch.setattr(users, "PAGE_USERS", 2)
    log(user_id="\x01")  # sorts before "" on MariaDB
    for number in range(3):
        with time_machine.travel(NOW + number * A_WHILE, tick=False):
            list(chunks.roll_up())
    rows = exported(tmp_path, "--report=users")

    assert [row["user_id"] for row in rows] == ["\x01", "a", "b", "c", "d", "e"]
    asked = RequestLog.objects.filter(created_date__gte=FIRST).values_list("user_id", flat=True)
    assert sum(row["request_count"] for row in rows) == sum(map(bool, asked))


def test_the_ledger_is_by_day_and_model(tmp_path: Path) -> None:
    call()
    call(cost=Decimal("0.000001"))
    call(billed="perhaps", outcome="model_timeout", input_tokens=None, output_tokens=None)
    call(billed="no", outcome="model_busy", cost=0, input_tokens=None, output_tokens=None)
    call(NOW - timedelta(days=1), model="qwen-vl-max")
    call(NOW - timedelta(days=30))  # before the first day

    assert exported(tmp_path, "--ledger") == [
        {
            "day": "2026-03-01",
            "model": "qwen-vl-max",
            "calls": 1,
            "billed_calls": 1,
            "input_tokens": 800,
            "cached_tokens": 0,
            "output_tokens": 40,
            "billed_cost": 0.00072,
            "estimated_billed_cost": 0.0,
            "perhaps_billed_calls": 0,
            "perhaps_billed_cost": 0.0,
        },
        {
            "day": "2026-03-02",
            "model": "qwen-vl-plus",
            "calls": 4,
            "billed_calls": 2,
            "input_tokens": 1600,
            "cached_tokens": 0,
            "output_tokens": 80,
            "billed_cost": 0.000721,
            "estimated_billed_cost": 0.0,
            "perhaps_billed_calls": 1,
            "perhaps_billed_cost": 0.00072,
        },
    ]


def test_excel_opens_the_csv_in_chinese(tmp_path: Path) -> None:
    log(user_id='=HYPERLINK("http://example.com")')
    text = export(tmp_path, "--report=users")
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))

    assert text.startswith(b"\xef\xbb\xbf")
    assert rows[0][:2] == ["用户", "请求"]
    assert rows[1][0] == """'=HYPERLINK("http://example.com")"""


def test_a_workbook_has_numbers_and_no_formulas(tmp_path: Path) -> None:
    log(user_id="=1+1")
    workbook = zipfile.ZipFile(io.BytesIO(export(tmp_path, "--report=users", "--format=xlsx")))
    sheet = workbook.read("xl/worksheets/sheet1.xml").decode()

    assert "用户" in sheet
    assert "<t>=1+1</t>" in sheet
    assert "<f>" not in sheet
    assert re.search(r'<c r="B2"><v>1</v></c>', sheet)


def test_a_full_sheet_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "SHEET_ROWS", 3)
    workbook = zipfile.ZipFile(io.BytesIO(export(tmp_path, "--format=xlsx")))  # of four days

    sheets = [workbook.read(f"xl/worksheets/sheet{number}.xml") for number in (1, 2)]
    assert [sheet.count(b"<row ") for sheet in sheets] == [4, 2]


@pytest.mark.parametrize("output_format", ["csv", "json", "xlsx"])
@pytest.mark.parametrize("report", ["days", "categories", "users", "ledger"])
def test_an_empty_history_can_be_exported(tmp_path: Path, report: str, output_format: str) -> None:
    content = export(tmp_path, f"--report={report}", f"--format={output_format}")

    assert content
    if output_format == "json":
        rows = json.loads(content)
        assert [row["date"] for row in rows] == (
            ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"] if report == "days" else []
        )


def test_standard_output_has_nothing_else(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    day = date.fromisoformat(LAST).isoformat()
    call_command("export_stats", f"--from={day}", f"--to={day}", "--format=json")

    assert json.loads(capfdbinary.readouterr().out)[0]["date"] == day


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from=2026-03-02", "--to=2026-03-01"], "--from"),
        (["--output=/nowhere/at/all"], "No such file"),
    ],
)
def test_what_cannot_be_exported_is_said(options: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("export_stats", *options)
