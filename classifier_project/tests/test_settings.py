"""Settings are read once at the start, so each case starts a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)


def start(expression: str = "''", **variables: str) -> subprocess.CompletedProcess[str]:
    """Print an expression over `settings`, with only these variables and no .env file."""
    code = f"import django; django.setup(); from django.conf import settings; print({expression})"
    own = {name: os.environ[name] for name in ("PATH", "HOME", "SystemRoot") if name in os.environ}
    environment = own | {"DJANGO_SETTINGS_MODULE": "classifier_project.settings"} | variables
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def value(expression: str, **variables: str) -> str:
    result = start(expression, **variables)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("DEBUG", "maybe"),
        ("LLM_PROVIDER", "openai"),
        ("LLM_TIMEOUT", "soon"),
        ("LLM_TIMEOUT", "0"),
        ("LLM_MAX_CONCURRENCY", "-1"),
        ("LLM_BASE_URL", "dashscope.aliyuncs.com"),
        ("LLM_PRICES", "{"),
        ("LLM_PRICES", '{"m": 1}'),
        ("ON_MODEL_FAILURE", "ignore"),
        ("MAX_IMAGE_SIZE_MB", "1.5"),
        ("ALLOWED_IMAGE_FORMATS", "jpg,bmp"),
        ("CACHE_MIN_CONFIDENCE", "2"),
        ("COST_PER_API_CALL", "NaN"),
        ("DAILY_COST_LIMIT", "-1"),
        ("DAILY_COST_LIMIT", "none"),
        ("DATABASE_URL", "postgres://localhost/x"),
        ("DATABASE_URL", "mysql://localhost"),
        ("CACHE_URL", "memcached://localhost"),
        ("APP_PORT", "80000"),
        ("TRUSTED_PROXIES", "10.0.0.300"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("LANGUAGE_CODE", "fr"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("LOG_FILE", "/no/such/folder/service.log"),
        ("ENABLE_REQUEST_LOG", "2"),
        ("EMAIL_URL", "imap://host"),
        ("ALERT_EMAILS", "lin at example.com"),
        ("ALERT_EMAILS", "lin@example.com"),  # without EMAIL_URL
        ("ALERT_WEBHOOKS", "https://example.com"),
        ("ALERT_WEBHOOKS", '[{"kind": "slack", "url": "https://example.com"}]'),
        ("ALERT_WEBHOOKS", '[{"kind": "wecom", "url": "https://example.com", "secret": "s"}]'),
        ("ALERT_WEBHOOKS", '[{"kind": "feishu"}]'),
        ("ALERT_FAILURE_RATE", "101"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(name: str, wrong: str) -> None:
    result = start(**{name: wrong})

    assert result.returncode != 0
    assert "ImproperlyConfigured" in result.stderr
    assert name in result.stderr.splitlines()[-1]


def test_a_password_in_a_wrong_address_is_not_repeated() -> None:
    result = start(DATABASE_URL="mysqlx://user:hunter2@localhost/db")

    assert result.returncode != 0
    assert "hunter2" not in result.stderr


def test_a_robots_password_is_not_repeated() -> None:
    url = "https://example.com/send?access_token=hunter2"
    result = start(ALERT_WEBHOOKS=f'[{{"kind": "dingding", "url": "{url}"}}]')

    assert result.returncode != 0
    assert "hunter2" not in result.stderr


def test_a_public_host_needs_a_secret() -> None:
    assert "SECRET_KEY" in start(ALLOWED_HOSTS="photos.example.com").stderr


@pytest.mark.parametrize(
    ("origins", "secure"),
    [("", "False"), ("https://a.example.com", "True"), ("https://a.b,http://a.b", "False")],
)
def test_cookies_are_for_https_where_staff_come_by_https(origins: str, secure: str) -> None:
    assert value("settings.SESSION_COOKIE_SECURE", CSRF_TRUSTED_ORIGINS=origins) == secure


def test_a_generated_secret_is_kept() -> None:
    assert value("settings.SECRET_KEY") == value("settings.SECRET_KEY") != ""


def test_what_an_older_secret_signed_stays_good() -> None:
    secrets = {"SECRET_KEY": "new" * 20, "SECRET_KEY_FALLBACKS": "older" * 10 + ", old" + "er" * 20}
    signing = "__import__('django.core.signing').core.signing"
    signed = value(f"{signing}.dumps(1)", SECRET_KEY="older" * 10)
    assert value(f"{signing}.loads('{signed}')", **secrets) == "1"


def test_a_key_makes_dashscope_the_provider() -> None:
    assert value("settings.LLM_PROVIDER") == "local"
    assert value("settings.LLM_PROVIDER, settings.LLM_API_KEY", LLM_API_KEY="sk-1\n") == (
        "aliyun sk-1"
    )


def test_the_older_names_of_the_database_are_understood() -> None:
    database = value(
        "*(settings.DATABASES['default'][k] for k in ('NAME', 'USER', 'PASSWORD', 'HOST', 'PORT'))",
        MYSQL_HOST="db",
        MYSQL_PORT="3307",
        MYSQL_USER="u@x",
        MYSQL_PASSWORD="p/w:#",
        MYSQL_DATABASE="photos",
    )

    assert database == "photos u@x p/w:# db 3307"


@pytest.mark.parametrize(
    ("variables", "check_id"),
    [
        ({"LLM_PROVIDER": "aliyun"}, "classification.E002"),
        ({"LLM_PROVIDER": "local", "LLM_API_KEY": "sk-1"}, "classification.W001"),
        ({"WEB_THREADS": "8"}, "classification.W002"),
        ({"APP_HOST": "0.0.0.0"}, "classification.W003"),  # noqa: S104
        ({}, "classification.E001"),
    ],
)
def test_checks_report_what_settings_alone_cannot_tell(
    variables: dict[str, str], check_id: str
) -> None:
    checks = (
        "__import__('django.core.checks').core.checks.run_checks(include_deployment_checks=True)"
    )

    assert check_id in value(f"[c.id for c in {checks}]", **variables)
