import io
import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from classification.billing.prices import PriceTable
from classification.models import CacheEntry, RequestLog
from tests.support.api import make_entry
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db

NEW, OLD, SURE, FOOD, CORRECTED = (f"{number:064x}" for number in range(5))


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def entries(db: None) -> None:
    def make(image_hash: str, **fields: Any) -> None:
        defaults = {
            "category": "pets",
            "confidence": Decimal("0.4"),
            "model_used": "m1",
            "prompt_version": 1,
        }
        CacheEntry.objects.create(image_hash=image_hash, provider="aliyun", **(defaults | fields))

    long_ago = timezone.now() - timedelta(days=100)
    make(NEW)
    make(OLD, created_at=long_ago)
    make(SURE, confidence=Decimal("0.9"), prompt_version=2)
    make(FOOD, category="foods", model_used="m2")
    make(CORRECTED, corrected_at=timezone.now(), created_at=long_ago)


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize(
    ("filters", "removed"),
    [
        (["--all"], {NEW, OLD, SURE, FOOD}),
        (["--all", "--corrected"], {NEW, OLD, SURE, FOOD, CORRECTED}),
        (["--category", "foods"], {FOOD}),
        (["--model", "m1"], {NEW, OLD, SURE}),
        (["--prompt-version", "2"], {SURE}),
        (["--older-than", "90d"], {OLD}),
        (["--older-than", "90d", "--corrected"], {OLD, CORRECTED}),
        (["--below-confidence", "0.5"], {NEW, OLD, FOOD}),
        (["--below-confidence", "0.5", "--category", "pets"], {NEW, OLD}),
        (["--hash", SURE], {SURE}),
        (["--hash", "f" * 64], set()),
    ],
)
def test_purge_cache_removes_what_its_filters_select(filters: list[str], removed: set[str]) -> None:
    before = set(CacheEntry.objects.values_list("image_hash", flat=True))
    dry = run("purge_cache", *filters, "--dry-run")
    assert CacheEntry.objects.count() == len(before)
    done = run("purge_cache", *filters, "--yes")

    assert before - set(CacheEntry.objects.values_list("image_hash", flat=True)) == removed
    assert dry.startswith(f"{len(removed)} ")
    assert done.startswith(f"{len(removed)} ")


@pytest.mark.usefixtures("entries")
def test_purge_cache_works_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.database.batches.BATCH_ROWS", 2)
    run("purge_cache", "--all", "--yes")

    assert CacheEntry.objects.count() == 1


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize("answer", ["", "n", "no"])
def test_purge_cache_asks_first(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("builtins.input", lambda _: answer)
    with pytest.raises(CommandError):
        run("purge_cache", "--all")

    assert CacheEntry.objects.count() == 5


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["--all", "--category", "pets"],
        ["--category", "dogs"],
        ["--older-than", "soon"],
        ["--below-confidence", "2"],
        ["--hash", "x"],
    ],
)
def test_purge_cache_refuses_what_it_does_not_understand(wrong: list[str]) -> None:
    with pytest.raises(CommandError):
        run("purge_cache", *wrong, "--yes")


def test_classify_goes_the_same_way_as_the_api(
    client: Client, model: DashScopeServer, tmp_path: Path
) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "a.jpg").write_bytes(photo(seed=1))
    (tmp_path / "album" / "notes.txt").write_text("no photo")
    (tmp_path / "b.png").write_bytes(photo("PNG", seed=2))
    arguments = ["classify", str(tmp_path / "album"), str(tmp_path / "b.png"), "--json"]
    first = [json.loads(line) for line in run(*arguments).splitlines()]
    second = [json.loads(line) for line in run(*arguments).splitlines()]

    assert [Path(row["file"]).name for row in first] == ["a.jpg", "b.png"]
    assert [(row["category"], row["source"]) for row in first] == [("pets", "llm")] * 2
    assert [row["source"] for row in second] == ["cache"] * 2
    assert RequestLog.objects.count() == 4
    assert len(model.requests) == 2


def test_classify_says_which_photo_got_no_answer(model: DashScopeServer, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"broken")
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("classify", str(tmp_path), stdout=out)

    assert "invalid_image" in out.getvalue()


def test_classify_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        run("classify", str(tmp_path / "none.jpg"))


def test_the_first_staff_account_gets_a_password_that_is_shown_once(client: Client) -> None:
    shown = run("create_first_staff")
    password = shown.rpartition(": ")[2].strip()

    assert client.login(username="admin", password=password)
    assert run("create_first_staff") == ""
    assert get_user_model().objects.count() == 1


def test_the_first_staff_account_is_the_given_one(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "ops")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "s3cret-enough")
    shown = run("create_first_staff")

    assert client.login(username="ops", password="s3cret-enough")
    assert "s3cret-enough" not in shown


def test_prepare_makes_an_app_and_an_account_where_there_are_none(client: Client) -> None:
    shown = run("prepare")

    assert re.search(r"^App: app\nKey .*: \S+\nStaff account: admin\nPassword .*: \S+\n$", shown)
    assert run("prepare") == ""


@pytest.mark.mariadb
def test_a_migrate_that_has_ended_holds_up_no_other_in_its_process() -> None:
    """Its connection goes back to the pool, open."""
    run("migrate")
    lock = f"migrate {connection.settings_dict['NAME']}"[:64]
    with connection.cursor() as cursor:
        cursor.execute("SELECT IS_USED_LOCK(%s)", [lock])

        assert cursor.fetchone() == (None,)


def test_models_prints_what_is_in_force_and_how_old_each_fact_is(
    settings: Settings, model: DashScopeServer
) -> None:
    settings.LLM_MODEL = "qwen-vl-plus"
    own = {
        "qwen3-vl-plus": {"input": 3, "output": 30, "from": "2026-12-24"},
        "mine": {"input": 1, "output": 2},
    }
    settings.LLM_PRICES = PriceTable.parse(
        own, Decimal("0.01"), "Asia/Shanghai", settings.MODEL_TABLE
    )
    with time_machine.travel("2026-12-07T12:00:00+08:00", tick=False):
        printed = run("models")
    with time_machine.travel("2026-12-24T00:00:00+08:00", tick=False):
        later = run("models")

    assert "qwen-vl-plus was retired on 2026-10-10; qwen3-vl-plus is used instead." in printed
    assert "Photos are sent to qwen3-vl-plus (aliyun); if" in printed
    asked, *others = printed.split("\n\n")[1:]
    assert asked.startswith("* qwen3-vl-plus  (aliyun, default)\n")
    assert "1 in (cached 0.2) / 10 out, yuan per million tokens; https://help" in asked
    assert "looked up on 2026-11-27, 10 days ago" in asked
    assert not [block for block in others if block.startswith("*")]
    [retired] = [block for block in others if block.startswith("  qwen-vl-plus")]
    assert "retired on 2026-10-10; then qwen3-vl-plus" in retired
    [mine] = [block for block in others if block.startswith("  mine")]
    assert "1 in (cached unknown) / 2 out, yuan per million tokens; LLM_PRICES" in mine
    assert "3 in (cached unknown) / 30 out, yuan per million tokens since 2026-12-24" in later


def test_purge_cache_tells_the_older_services_entries_by_day(db: None) -> None:
    days = {"1": datetime(2026, 3, 1), "2": datetime(2026, 3, 2), "3": datetime(2026, 3, 3)}
    for name, day in days.items():
        made = timezone.make_aware(day)
        make_entry(name * 64, provider="", created_at=made)
        make_entry(f"{name}{'f' * 63}", provider="aliyun", created_at=made)
    filters = ["--provider", "older", "--made-after", "2026-03-02", "--made-before", "2026-03-03"]
    run("purge_cache", *filters, "--yes")

    left = CacheEntry.objects.filter(provider="").values_list("image_hash", flat=True)
    assert sorted(left) == ["1" * 64, "3" * 64]
    assert CacheEntry.objects.count() == 5
