"""Each finding of the doctor, seen well and ill."""

import io
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as project
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from redis import Redis
from redis.exceptions import RedisError

from classification.models import CacheEntry, ModelCall, RequestLog
from classification.monitoring.task_runs import record_run
from stats.rollup import cache_totals, chunks
from tests.support.api import make_entry
from tests.support.dashscope_server import DashScopeServer
from tests.support.history import A_WHILE, NOW, call, log
from tests.support.openai_server import OpenAIServer
from tests.support.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)

LEVELS = {"ok": 0, "warning": 1, "problem": 2}
REDIS = "redis://127.0.0.1:6379/9"


def examine(*arguments: str) -> list[dict[str, str]]:
    """The findings; the exit status is checked against the worst of them."""
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json", *arguments, stdout=out)
    found: list[dict[str, str]] = json.loads(out.getvalue())
    assert ended.value.code == max(LEVELS[finding["level"]] for finding in found)
    assert all(finding["advice"] for finding in found if finding["level"] != "ok")
    return found


def about(subject: str, found: list[dict[str, str]]) -> tuple[str, str]:
    """The worst level of a subject's findings, and what they say."""
    rows = [row for row in found if row["subject"].startswith(subject)]
    text = " ".join(row["message"] + " " + row["advice"] for row in rows)
    return max((row["level"] for row in rows), key=LEVELS.__getitem__), text


def in_a_process(**variables: str) -> tuple[int, str]:
    """The exit status and the whole output of the command with these variables."""
    result = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=project.BASE_DIR,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def healthy(settings: Settings, tmp_path: Path) -> None:
    """What a test's own settings lack of a production's."""
    settings.SECRET_KEY, settings.SECRET_KEY_IS_GENERATED = "s3cret-" + "abcdefgh" * 8, False
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = True
    settings.CSRF_COOKIE_SECURE, settings.SECURE_HSTS_SECONDS = True, 3600
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "staticfiles.json").touch()
    call_command("create_app", "anonymous", "--off", stdout=io.StringIO())
    record_run("roll_up_stats")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_a_healthy_service_has_nothing_but_good_findings(
    settings: Settings, tmp_path: Path, model: DashScopeServer
) -> None:
    healthy(settings, tmp_path)
    settings.WEB_WORKERS = 2
    found = examine("--free-mb", "1")

    assert {row["level"] for row in found} == {"ok"}, found
    subjects = {row["subject"].split(" (")[0] for row in found}
    assert subjects >= {
        *("settings", "database", "migrations", "writing", "entries", "timers", "cache"),
        *("state", "disk of the state", "static files", "log", "model", "clock", "on-device model"),
    }
    # Nothing was asked that could cost anything, and nothing is left of the trial writes.
    assert all("messages" not in request.body["input"] for request in model.requests)
    assert not ModelCall.objects.exists()
    assert not CacheEntry.objects.exists()


def test_what_others_need_is_not_said_to_be_nothing(settings: Settings, tmp_path: Path) -> None:
    healthy(settings, tmp_path)
    settings.SECRET_KEY_IS_GENERATED, settings.SECURE_HSTS_SECONDS = True, 0
    settings.ALLOWED_HOSTS = ["localhost"]
    told = [row["message"] for row in examine("--free-mb", "1") if row["subject"] == "settings"]

    assert len(told) == 2
    assert told[0].startswith("Only this machine reaches the service.")
    assert told[1] == "manage.py check --deploy finds nothing else."


def test_settings_that_are_not_for_production_are_told(settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 0
    settings.LLM_PROVIDER, settings.LLM_API_KEY = "aliyun", ""
    found = examine()

    assert about("settings", found)[0] == "problem"
    assert "CSRF_TRUSTED_ORIGINS" in about("settings", found)[1]
    assert about("model", found) == (
        "problem",
        "LLM_API_KEY is not set. Set it to a DashScope key.",
    )


@pytest.mark.parametrize(
    ("mode", "level", "words"),
    [
        ("InvalidApiKey", "problem", "the API key was rejected"),
        ("Arrearage", "problem", "the account has unpaid bills"),
        ("ModelNotFound", "problem", "is no longer served"),
        ("Model.AccessDenied", "problem", "is no longer served"),
        ("html_error", "warning", "is inconclusive"),
        ("html 401", "problem", "something other than the provider is answering"),
        ("html 403", "problem", "something other than the provider is answering"),
        ("ok", "ok", "the key is accepted"),
    ],
)
def test_what_the_provider_says_of_key_and_model(
    model: DashScopeServer, mode: str, level: str, words: str
) -> None:
    model.script(mode)
    found = about("model", examine())

    assert found[0] == level
    assert words in found[1]
    assert "sk-test" not in found[1]


@pytest.mark.parametrize("path", ["", "/compatible-mode/v1", "/api/v1/services"])
def test_a_wrong_address_is_named(settings: Settings, model: DashScopeServer, path: str) -> None:
    settings.LLM_BASE_URL = model.address + path
    level, text = about("model", examine())

    assert level == "problem"
    assert f"LLM_BASE_URL ({model.address}{path})" in text


def test_a_model_that_is_gone_by_its_message_only(model: DashScopeServer) -> None:
    model.script("error")
    model.error = (400, "InvalidParameter", "Model not exist.")
    level, text = about("model", examine())

    assert level == "problem"
    assert "is no longer served" in text


@pytest.mark.parametrize(
    ("mode", "name", "level", "words"),
    [
        ("ok", "a-vision-model", "ok", "the model is available"),
        ("ok", "another-model", "problem", "not in the list of models"),
        ("invalid_api_key", "a-vision-model", "problem", "the API key was rejected"),
        ("html 403", "a-vision-model", "problem", "something other than the provider"),
        ("server_error", "a-vision-model", "warning", "is inconclusive"),
    ],
)
def test_a_second_provider_is_asked_which_models_it_serves(
    settings: Settings, model: DashScopeServer, mode: str, name: str, level: str, words: str
) -> None:
    with OpenAIServer() as second:
        second.script(mode)
        settings.LLM_FALLBACK_PROVIDER = "openai"
        settings.LLM_FALLBACK_BASE_URL = second.base_url
        settings.LLM_FALLBACK_MODEL = name
        found = about("model", examine())

    assert found[0] == level
    assert words in found[1]
    assert not second.requests


def test_a_provider_that_is_not_there(settings: Settings, model: DashScopeServer) -> None:
    settings.LLM_BASE_URL = f"http://127.0.0.1:{free_port()}/api/v1"

    assert about("model", examine())[0] == "problem"


def test_a_clock_beside_the_providers(model: DashScopeServer) -> None:
    model.clock_ahead = -900
    level, text = about("clock", examine())

    assert level == "warning"
    assert "behind" in text


def test_a_paid_call_is_made_only_when_asked_for_and_is_in_the_ledger(
    model: DashScopeServer,
) -> None:
    examine()
    unpaid = [request for request in model.requests if "messages" in request.body["input"]]
    found = examine("--paid")
    call = ModelCall.objects.get()

    assert not unpaid
    assert "qwen3-vl-plus answered" in about("model", found)[1]
    assert (call.outcome, call.billed) == ("ok", "yes")
    model.script("InvalidParameter", "no_verdict")
    assert "The paid call failed: model_bad_reply" in about("model", examine("--paid"))[1]


def test_entries_that_could_never_have_been_right() -> None:
    CacheEntry.objects.create(
        image_hash="a" * 64, category="dogs", confidence="0.9", model_used="m"
    )

    assert about("entries", examine())[0] == "warning"


def test_timers_that_do_not_run(settings: Settings) -> None:
    RequestLog.objects.create(
        request_id="r", created_at=timezone.now() - timedelta(days=settings.LOG_RETENTION_DAYS + 9)
    )
    cache_totals.refresh()  # as a reader does who finds no recent count
    level, text = about("timers", examine())

    assert level == "warning"
    assert "has never run" in text
    assert "purge_request_log" in text


def test_a_disk_that_is_full() -> None:
    assert about("disk of the state", examine("--free-mb", str(2**31)))[0] == "problem"
    assert about("disk of the state", examine("--free-mb", "1"))[0] == "ok"


def test_static_files_that_are_not_collected(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path

    assert about("static files", examine())[0] == "warning"


def test_proxies_are_said_to_be_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://user:hunter2@127.0.0.1:1")
    level, text = about("proxy", examine())

    assert level == "warning"
    assert text.startswith("ALL_PROXY is set and ignored")
    assert "hunter2" not in text


def test_a_migration_that_is_missing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET app = 'gone' WHERE app = 'stats'")
        try:
            level, text = about("migrations", examine())
        finally:
            cursor.execute("UPDATE django_migrations SET app = 'stats' WHERE app = 'gone'")

    assert level == "problem"
    assert "stats.0001_roll_ups" in text


def test_redis_that_answers_and_one_that_does_not(settings: Settings) -> None:
    def with_cache(url: str) -> str:
        settings.CACHE_URL = url
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": url,
                "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
            }
        }
        return about("cache", examine())[0]

    assert with_cache(f"redis://:hunter2@127.0.0.1:{free_port()}/0") == "problem"
    try:
        Redis.from_url(REDIS).ping()
    except RedisError:
        pytest.skip("needs Redis on port 6379: apt-get install redis-server")
    assert with_cache(REDIS) == "ok"


@pytest.mark.mariadb
@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("ci:hunter2@127.0.0.1:{port}/x", "Check the user and the password"),
        ("{user}:{password}@127.0.0.1:{port}/no_such_database", "CREATE DATABASE"),
        ("u:hunter2@127.0.0.1:{closed}/x", "Start the server"),
    ],
)
def test_a_database_that_does_not_let_us_in(address: str, advice: str) -> None:
    own: dict[str, Any] = project.DATABASES["default"]
    url = "mysql://" + address.format(
        port=own["PORT"] or 3306, closed=free_port(), user=own["USER"], password=own["PASSWORD"]
    )
    status, said = in_a_process(DATABASE_URL=url, CACHE_URL="redis://:s3same@127.0.0.1:1/0")

    assert status == 2
    assert advice in said
    assert "hunter2" not in said
    assert "s3same" not in said
    assert "Traceback" not in said


@pytest.mark.mariadb
def test_too_few_connections_for_the_workers(settings: Settings) -> None:
    settings.WEB_WORKERS = 60

    assert about("connections", examine())[0] == "warning"
    settings.WEB_WORKERS = 2
    assert about("connections", examine())[0] == "ok"


@pytest.mark.mariadb
def test_a_table_that_does_not_take_new_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE request_log ADD COLUMN theirs INT NOT NULL")
        try:
            level = about("writing", examine())[0]
        finally:
            cursor.execute("ALTER TABLE request_log DROP COLUMN theirs")

    assert level == "problem"


def test_rows_that_are_in_no_figure_are_found() -> None:
    """They came when nobody looked at their chunk any more."""
    later = NOW + timedelta(days=1)
    for number in (2, 4):
        log(pk=number)
        call(pk=number)
    for moment in (NOW, NOW + A_WHILE, later):
        with time_machine.travel(moment, tick=False):
            list(chunks.roll_up())
            assert about("figures", examine())[0] == "ok"
    log(pk=1)
    call(pk=1)
    with time_machine.travel(later, tick=False):
        list(chunks.roll_up())
        level, text = about("figures", examine())
        call_command("rebuild_stats")
        level_afterwards, _ = about("figures", examine())

    assert (level, level_afterwards) == ("warning", "ok")
    assert "2 rows of the log or the ledger are missing from the statistics: 2026-03-02" in text
    assert "rebuild_stats" in text


@pytest.mark.parametrize(("seconds", "is_told"), [(30, True), (25, False)])
def test_apps_of_the_older_service_are_not_kept_waiting(
    settings: Settings, seconds: int, is_told: bool
) -> None:
    settings.LLM_TIMEOUT = seconds
    make_entry(provider="")

    told = [row["level"] for row in examine() if row["subject"] == "apps"]
    assert told == (["warning"] if is_told else [])
