import io
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from classification.models import CacheEntry, RequestLog
from classification.tests.dashscope_server import DashScopeServer
from classification.tests.pictures import photo

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
    monkeypatch.setattr("classification.management.commands.purge_cache.BATCH_ROWS", 2)
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
