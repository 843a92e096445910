"""Settings are read once at the start, so each case starts a process of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.quick_starts import QuickStarts, quick_starts

Start = Callable[..., str]


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuickStarts]:
    with quick_starts(Path(settings.BASE_DIR), tmp_path_factory.mktemp("starts")) as starts:
        yield starts


@pytest.fixture(scope="module")
def refusal(starts: QuickStarts) -> Start:
    """What the server says, that does not start with these variables."""

    def refusal(**variables: str) -> str:
        result = starts.run("manage.py", "serve", **variables)
        assert result.returncode == 1
        assert result.stdout == ""
        return result.stderr

    return refusal


@pytest.fixture(scope="module")
def value(starts: QuickStarts) -> Start:
    """An expression over `settings`, printed, with these variables and no .env file."""

    def value(expression: str, **variables: str) -> str:
        # Not set up: MariaDB's driver, which not everybody has, is loaded then.
        code = f"import django; from django.conf import settings; print({expression})"
        variables = {"DJANGO_SETTINGS_MODULE": "classifier_project.settings"} | variables
        result = starts.run("-c", code, **variables)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    return value


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("DEBUG", "maybe"),
        ("LLM_PROVIDER", "somebody"),
        ("LLM_PROVIDER", "openai"),  # where?
        ("LLM_FALLBACK_PROVIDER", "local"),
        ("LLM_FALLBACK_PROVIDER", "openai"),  # after whom?
        ("LLM_FALLBACK_API_KEY", "Bearer hunter2"),
        ("LLM_TIMEOUT", "soon"),
        ("LLM_TIMEOUT", "0"),
        ("LLM_MAX_CONCURRENCY", "-1"),
        ("LLM_BASE_URL", "dashscope.aliyuncs.com"),
        ("LLM_MODELS_FILE", "/no/such/models.toml"),
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
        ("DATABASE_URL", "mysql://anna:hunter2/x@db:3306/photos"),
        ("DATABASE_URL", "mysql://anna:hunter2?x@db:3306/photos"),
        ("DATABASE_URL", "mysql://anna:hunter2#x@db:3306/photos"),
        ("DATABASE_URL", "mysql://anna:1#hunter2@db:3306/photos"),
        ("DATABASE_URL", "mysql://anna:1?hunter2@db:3306/photos"),
        ("DATABASE_URL", "mysql://anna:[hunter2@db:3306/photos"),
        ("DATABASE_URL", "mysql://anna:hunter2@db:33o6/photos"),
        ("DATABASE_URL", "mysql://db:3306/photos?hunter2=1"),
        ("DATABASE_URL", "mysql://anna:hunter2@db1:3306,db2:33o6/photos"),
        ("DATABASE_URL", "mysql://anna:hunter2@db1:3306,/photos"),
        ("DATABASE_URL", "mysql://anna:hunter2@db1,db1/photos"),
        ("STATS_DATABASE_URL", "mysql://anna:hunter2@db1,db2/photos"),
        ("DATABASE_URL", "sqlite://x"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:////tmp"),
        ("DATABASE_URL", "sqlite:////proc/none/photos.sqlite3"),
        ("MYSQL_HOST", "db:3306"),
        ("MYSQL_HOST", "mysql://db"),
        ("CACHE_URL", "redis://:hunter2/x@redis:6379/0"),
        ("CACHE_URL", "redis://redis:6379/first"),
        ("CACHE_URL", "redis://redis:6379/0?hunter2=1"),
        ("CACHE_URL", "redis://"),
        ("CACHE_URL", "redis://:hunter2@redis1:6379,redis2:6379/0"),
        ("CACHE_URL", "redis+sentinel://:hunter2@sentinel:26379/mymaster/0"),
        ("CACHE_URL", "rediss+cluster://:hunter2@redis:6379/0"),
        ("EMAIL_URL", "smtp://anna:hunter2/x@mail:25"),
        ("EMAIL_URL", "smtp://"),
        ("DEFAULT_FROM_EMAIL", "nobody"),
        ("LLM_BASE_URL", "https://"),
        ("LLM_BASE_URL", "https://dash scope.example.com/v1"),
        ("LLM_PRICES", "{}"),
        ("LLM_PRICES", "[]"),
        ("LLM_PRICES", '{"m": []}'),
        ("LLM_PRICES", "[" * 100_000),
        ("LLM_API_KEY", "sk-hunter2密"),
        ("LLM_API_KEY", "\u200bsk-hunter2"),
        ("LLM_API_KEY", "“sk-hunter2”"),
        ("LLM_API_KEY", '"sk-hunter2"'),
        ("LLM_API_KEY", "sk-\nhunter2"),
        ("LLM_MODEL", "qwen vl plus"),
        ("LLM_FALLBACK_MODELS", "qwen-vl-max，qwen3-vl-plus"),
        ("METRICS_TOKEN", "密码"),
        ("METRICS_TOKEN", "hunter 2"),
        ("APP_HOST", "http://127.0.0.1"),
        ("APP_HOST", "127.0.0.1:8000"),
        ("APP_HOST", "no-such-host.invalid"),
        ("ALLOWED_HOSTS", "https://photos.example.com"),
        ("ALLOWED_HOSTS", "photos.example.com:8000"),
        ("ALLOWED_HOSTS", "localhost，127.0.0.1"),
        ("ALLOWED_HOSTS", "localhost 127.0.0.1"),
        ("ALLOWED_HOSTS", "localhost;127.0.0.1"),
        ("CSRF_TRUSTED_ORIGINS", "photos.example.com"),
        ("CSRF_TRUSTED_ORIGINS", "https://a.example.com，https://b.example.com"),
        ("CORS_ALLOWED_ORIGINS", "https://photos.example.com/app"),
        ("CORS_ALLOWED_ORIGINS", "*, https://photos.example.com"),
        ("TIME_ZONE", "Asia"),
        ("LOG_FILE", "/etc"),
        ("STATE_DIRECTORY", "/proc/none"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(refusal: Start, name: str, wrong: str) -> None:
    [sentence] = refusal(**{name: wrong}).splitlines()

    assert sentence.startswith("Error: ")
    assert name in sentence
    assert "hunter2" not in sentence


def test_a_robots_password_is_not_repeated(refusal: Start) -> None:
    url = "https://example.com/send?access_token=hunter2"

    assert "hunter2" not in refusal(ALERT_WEBHOOKS=f'[{{"kind": "dingding", "url": "{url}"}}]')


def test_a_public_host_needs_a_secret(refusal: Start) -> None:
    assert "SECRET_KEY" in refusal(ALLOWED_HOSTS="photos.example.com")


@pytest.mark.parametrize(
    ("origins", "secure"),
    [("", "False"), ("https://a.example.com", "True"), ("https://a.b,http://a.b", "False")],
)
def test_cookies_are_for_https_where_staff_come_by_https(
    value: Start, origins: str, secure: str
) -> None:
    assert value("settings.SESSION_COOKIE_SECURE", CSRF_TRUSTED_ORIGINS=origins) == secure


def test_a_generated_secret_is_kept(value: Start) -> None:
    assert value("settings.SECRET_KEY") == value("settings.SECRET_KEY") != ""


@pytest.mark.parametrize("left", ["", "\0" * 50])
def test_a_file_that_a_power_cut_emptied_is_no_secret(
    refusal: Start, tmp_path: Path, left: str
) -> None:
    (tmp_path / "secret_key").write_text(left)

    assert "SECRET_KEY is not set" in refusal(STATE_DIRECTORY=str(tmp_path))


def test_what_an_older_secret_signed_stays_good(value: Start) -> None:
    secrets = {"SECRET_KEY": "new" * 20, "SECRET_KEY_FALLBACKS": "older" * 10 + ", old" + "er" * 20}
    signing = "__import__('django.core.signing').core.signing"
    signed = value(f"{signing}.dumps(1)", SECRET_KEY="older" * 10)
    assert value(f"{signing}.loads('{signed}')", **secrets) == "1"


def test_a_key_makes_dashscope_the_provider(value: Start) -> None:
    assert value("settings.LLM_PROVIDER") == "local"
    assert value("settings.LLM_PROVIDER, settings.LLM_API_KEY", LLM_API_KEY="sk-1\n") == (
        "aliyun sk-1"
    )


def test_the_older_names_of_the_database_are_understood(value: Start) -> None:
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
        ({"LLM_APIKEY": "sk-1"}, "classification.W005"),
        ({"DATABASE_URI": "mysql://db/photos"}, "classification.W005"),
        ({}, "classification.E001"),
    ],
)
def test_checks_report_what_settings_alone_cannot_tell(
    value: Start, variables: dict[str, str], check_id: str
) -> None:
    checks = (
        "__import__('django.core.checks').core.checks.run_checks(include_deployment_checks=True)"
    )

    assert check_id in value(f"django.setup() or [c.id for c in {checks}]", **variables)


def test_a_second_provider_is_described_like_the_first(refusal: Start, value: Start) -> None:
    second = {
        "LLM_API_KEY": "sk-1",
        "LLM_FALLBACK_PROVIDER": "openai",
        "LLM_FALLBACK_BASE_URL": "http://gpu.lan:8000/v1/",
        "LLM_FALLBACK_MODEL": "Qwen/Qwen3-VL-4B-Instruct",
    }
    expression = "[one[2:] for one in registry.configured()]"
    registry = "__import__('classification.providers.registry').providers.registry"

    assert value(expression.replace("registry", registry, 1), **second) == (
        "[('https://dashscope.aliyuncs.com/api/v1', ['qwen3-vl-plus']), "
        "('http://gpu.lan:8000/v1', ['Qwen/Qwen3-VL-4B-Instruct'])]"
    )
    assert "LLM_FALLBACK_MODEL" in refusal(**second | {"LLM_FALLBACK_MODEL": ""})
    assert "LLM_FALLBACK_API_KEY" in refusal(**second | {"LLM_FALLBACK_PROVIDER": "aliyun"})


@pytest.mark.parametrize(
    ("variables", "provider"),
    [
        ({"LLM_PROVIDER": "qwen"}, "aliyun"),
        ({"LLM_PROVIDER": "DashScope"}, "aliyun"),
        ({"LLM_API_KEY": "sk-1", "USE_LOCAL_INFERENCE": "true"}, "local"),
        ({"LLM_PROVIDER": "aliyun", "USE_LOCAL_INFERENCE": "true"}, "local"),
        ({"LLM_API_KEY": "sk-1", "USE_LOCAL_INFERENCE": "false"}, "aliyun"),
    ],
)
def test_other_words_for_the_providers(
    value: Start, variables: dict[str, str], provider: str
) -> None:
    assert value("settings.LLM_PROVIDER", **variables) == provider


DATABASE = "settings.DATABASES['default']"


@pytest.mark.parametrize(
    ("name", "given", "expression", "meant"),
    [
        ("APP_HOST", "localhost", "settings.APP_HOST", "127.0.0.1"),
        ("APP_HOST", "[::1]", "settings.APP_HOST", "::1"),
        ("MYSQL_HOST", "::1", f"{DATABASE}['HOST']", "::1"),
        ("DATABASE_URL", "mysql://a:p@s%2F@[::1]:1/d", f"{DATABASE}['PASSWORD']", "p@s/"),
        (
            "DATABASE_URL",
            "mysql://a:p,1@db1,[::1]:3307/d",
            f"{DATABASE}['OPTIONS']['hosts']",
            "[('db1', 3306), ('::1', 3307)]",
        ),
        ("CSRF_TRUSTED_ORIGINS", "https://a.b/", "*settings.CSRF_TRUSTED_ORIGINS", "https://a.b"),
        (
            "CORS_ALLOWED_ORIGINS",
            "capacitor://a",
            "*settings.CORS_ALLOWED_ORIGINS",
            "capacitor://a",
        ),
        ("CLASSIFICATION_PROMPT", r"a\nb", "settings.CLASSIFICATION_PROMPT.split()", "['a', 'b']"),
        ("EMAIL_URL", "smtp+tls://a:p%40@mail:587", "settings.EMAIL_HOST_PASSWORD", "p@"),
        ("STATE_DIRECTORY", "/srv:/mnt", f"{DATABASE}['NAME']", "/srv/db.sqlite3"),
    ],
)
def test_what_is_meant_is_understood(
    value: Start, name: str, given: str, expression: str, meant: str
) -> None:
    assert value(expression, **{name: given}) == meant


def test_installations_and_caches_on_one_redis_have_keys_of_their_own(value: Start) -> None:
    def prefix(**variables: str) -> str:
        redis = {"CACHE_URL": "redis://127.0.0.1:6379/0", "SECRET_KEY": "s" * 50}
        return value("settings.CACHES['default']['KEY_PREFIX']", **redis | variables)

    ours, other = "mysql://a@db:3306/photos", "mysql://a@db:3306/trial"
    assert prefix(DATABASE_URL=ours) == prefix(DATABASE_URL=ours, APP_PORT="8001")
    assert prefix(DATABASE_URL=ours) != prefix(DATABASE_URL=other)
    assert prefix(DATABASE_URL=ours) != prefix(DATABASE_URL=ours, SECRET_KEY="t" * 50)
    answers = "settings.CACHES['answers']['KEY_PREFIX']"
    shared = {"CACHE_URL": "redis://127.0.0.1:6379/0", "SECRET_KEY": "s" * 50}
    assert value(answers, **shared, DATABASE_URL=ours) != prefix(DATABASE_URL=ours)
