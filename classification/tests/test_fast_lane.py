"""Plain hash questions are answered ahead of Django, and must be answered the same."""

import json
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, close_old_connections, connection
from pytest_django import Settings

from classification.fast_lane import with_fast_lane
from classification.models import CacheEntry, RequestLog
from classification.recorder import recorder

KNOWN, UNKNOWN = "ab" * 32, "cd" * 32
DJANGO = get_wsgi_application()

pytestmark = pytest.mark.django_db


class Lane:
    """Which of the two answered, and what."""

    def __init__(self) -> None:
        self.passed_on = False
        self.application = with_fast_lane(self._django)

    def _django(self, environ: Any, start_response: Any) -> Any:
        self.passed_on = True
        return DJANGO(environ, start_response)


def ask(application: Any, body: Any, **environ: Any) -> tuple[str, dict[str, str], Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        answer["status"] = status
        answer["headers"] = {name.lower(): value for name, value in headers}

    defaults = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/v1/classify/check-cache",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(raw)),
        "HTTP_HOST": "localhost:8000",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.input": BytesIO(raw),
        "wsgi.url_scheme": "http",
    }
    content = b"".join(application(defaults | environ, start_response))
    return answer["status"], answer["headers"], json.loads(content)


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Keep a test's transaction open between requests, as Django's test client does."""
    request_started.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)


@pytest.fixture(autouse=True)
def entry(settings: Settings) -> CacheEntry:
    settings.ALLOWED_HOSTS = ["localhost"]
    return CacheEntry.objects.create(
        image_hash=KNOWN,
        category="pets",
        confidence=Decimal("0.9"),
        description="一只猫",
        model_used="m",
        provider="aliyun",
        prompt_version=1,
        cost=Decimal("0.001"),
    )


PLAIN: list[tuple[Any, dict[str, Any]]] = [
    ({"image_hash": KNOWN}, {}),
    ({"image_hash": KNOWN.upper()}, {}),
    ({"image_hash": UNKNOWN}, {}),
    ({"image_hash": UNKNOWN}, {"HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.9"}),
    ({"image_hash": UNKNOWN}, {"HTTP_ACCEPT_LANGUAGE": "zh-Hans-CN;q=1"}),
    ({"image_hash": UNKNOWN}, {"HTTP_ACCEPT_LANGUAGE": "xx"}),
    ({"image_hash": KNOWN, "user_id": "u1"}, {"HTTP_X_USER_ID": "device-2"}),
    ({"image_hash": KNOWN, "user_id": None}, {}),
    ({"image_hash": KNOWN, "more": [1]}, {"CONTENT_TYPE": "application/json; charset=utf-8"}),
]
# What is not plain goes on to Django.
OTHERS: list[tuple[Any, dict[str, Any]]] = [
    ({"image_hash": KNOWN, "user_id": " u1 "}, {}),
    ({"image_hash": KNOWN, "user_id": 7}, {}),
    ({"image_hash": KNOWN, "user_id": "x" * 65}, {}),
    ({"image_hash": KNOWN}, {"HTTP_X_USER_ID": "x" * 65}),
    ({"image_hash": KNOWN}, {"HTTP_X_USER_ID": "\xe8\xae\xbe"}),
    ({"image_hash": f" {KNOWN}"}, {}),
    ({"image_hash": "xyz"}, {}),
    ({"image_hash": 7}, {}),
    ({}, {}),
    ([], {}),
    (b"", {}),
    (b"{", {}),
    (b"[" * 1000, {}),
    ({"image_hash": KNOWN, "more": "x" * 2000}, {}),
    ({"image_hash": KNOWN}, {"CONTENT_TYPE": "text/plain"}),
    ({"image_hash": KNOWN}, {"CONTENT_LENGTH": "x"}),
    ({"image_hash": KNOWN}, {"HTTP_ORIGIN": "https://app.example.com"}),
    ({"image_hash": KNOWN}, {"HTTP_COOKIE": "django_language=en"}),
    ({"image_hash": KNOWN}, {"REQUEST_METHOD": "PUT"}),
]


@pytest.mark.parametrize(
    ("body", "environ", "is_plain"),
    [(*case, True) for case in PLAIN] + [(*case, False) for case in OTHERS],
)
def test_both_ways_give_the_same_answer(body: Any, environ: dict[str, Any], is_plain: bool) -> None:
    lane = Lane()
    status, headers, answer = ask(lane.application, body, **environ)
    slow_status, slow_headers, slow_answer = ask(DJANGO, body, **environ)
    recorder.flush()
    rows = RequestLog.objects.values(
        "user_id", "ip_address", "image_hash", "category", "source", "outcome", "saved"
    )

    assert lane.passed_on is not is_plain
    assert status.split()[0] == slow_status.split()[0]
    assert headers["content-type"] == slow_headers["content-type"]
    assert headers["x-request-id"] == answer["request_id"]
    for field in ("request_id", "timestamp"):
        answer.pop(field, None)
        slow_answer.pop(field, None)
    assert answer == slow_answer
    assert len(rows) in (0, 2)
    assert len({tuple(row.items()) for row in rows}) == len(rows) / 2


def test_a_host_that_is_not_ours_goes_on_to_django() -> None:
    lane = Lane()
    status, _, answer = ask(lane.application, {"image_hash": KNOWN}, HTTP_HOST="evil.example.com")

    assert lane.passed_on
    assert (status, answer["error_code"]) == ("400 Bad Request", "invalid_request")


def test_a_database_that_is_away_is_told_in_the_shape_of_errors() -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("gone")

    cache.clear()
    lane = Lane()
    with connection.execute_wrapper(away):
        status, headers, answer = ask(lane.application, {"image_hash": KNOWN})

    assert status == "503 Service Unavailable"
    assert (answer["error_code"], answer["success"]) == ("database_unavailable", False)
    assert int(headers["retry-after"]) > 0
    assert not lane.passed_on
