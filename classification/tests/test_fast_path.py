"""Plain hash questions are answered ahead of Django, and must be answered the same."""

import json
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, close_old_connections, connection
from django.db.models import Count, Sum
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from classification.api.fast_path import with_lookup_fast_path, with_upload_fast_path
from classification.models import CacheEntry, RequestLog
from classification.pipeline import answer_cache
from classification.pipeline.write_behind import buffer
from tests.support.api import make_entry, sha256

KNOWN, UNKNOWN, CARD = "ab" * 32, "cd" * 32, "ef" * 32
# What tells one row of the log from another of the same.
OWN_COLUMNS = {"id", "request_id", "created_at", "created_date", "processing_time_ms"}
DJANGO = get_wsgi_application()

pytestmark = pytest.mark.django_db


class Lane:
    """Which of the two answered, and what."""

    def __init__(self) -> None:
        self.passed_on = False
        self.application = with_lookup_fast_path(with_upload_fast_path(self._django))

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
def entries(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    cost = Decimal("0.001")
    make_entry(KNOWN, confidence=Decimal("0.9123"), description='一只"猫"\n\\\u2028\x7f', cost=cost)
    # An older service may have written what is printed on a card.
    make_entry(sha256(DATA), cost=cost)
    make_entry(CARD, category="idcard", confidence=1, description="张三")


CHECK, BATCH = "/api/v1/classify/check-cache", "/api/v1/classify/batch-check-cache"
UPLOAD = "/api/v1/classify"
Case = tuple[Any, dict[str, Any]]
PLAIN: list[Case] = [
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
OTHERS: list[Case] = [
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
    (b'{"image_hash": "%s", "more": NaN}' % KNOWN.encode(), {}),
    (b'\xef\xbb\xbf{"image_hash": "%s"}' % KNOWN.encode(), {}),
]
MANY = [f"{number:064x}" for number in range(99)]
PLAIN_BATCHES: list[Case] = [
    ({"image_hashes": [KNOWN]}, {}),
    ({"image_hashes": [UNKNOWN]}, {"HTTP_ACCEPT_LANGUAGE": "en"}),
    ({"image_hashes": [*MANY, KNOWN], "user_id": "u1"}, {}),
    ({"image_hashes": [KNOWN, UNKNOWN, KNOWN.upper(), KNOWN, CARD]}, {"HTTP_X_USER_ID": "d2"}),
]


def part(name: str, content: bytes, more: str = "", headers: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"{more}\r\n{headers}\r\n'
    return head.encode() + content


def form(*parts: bytes, boundary: bytes = b"XX", end: bytes = b"--\r\n") -> bytes:
    lines = b"".join(b"--%s\r\n%s\r\n" % (boundary, each) for each in parts)
    return lines + b"--" + boundary + end


# No photo, but its answer is known, so that nobody looks into it.
DATA = b"\xff\xd8 a photo with\r\n-- dashes\r\n"
FILE = '; filename="p 1.jpg"'
IMAGE = part("image", DATA, FILE, "Content-Type: image/jpeg\r\n")
USER = part("user_id", b"u1", headers="Content-Type: text/plain; charset=UTF-8\r\n")
FORM = {"CONTENT_TYPE": "multipart/form-data; boundary=XX"}
PLAIN_UPLOADS: list[Case] = [
    (form(IMAGE), FORM),
    (form(USER, IMAGE, part("image_hash", sha256(DATA).upper().encode())), FORM),
    (form(IMAGE, end=b"--"), FORM | {"HTTP_X_USER_ID": "d2"}),
    (form(IMAGE, boundary=b"a-b.c"), {"CONTENT_TYPE": 'multipart/form-data;boundary="a-b.c"'}),
    (form(part("image", DATA, FILE, "content-type: image/jpeg\r\nContent-Length: 9\r\n")), FORM),
]
OTHER_UPLOADS: list[Case] = [
    (form(part("image", b"\xff\xd8 unknown", FILE)), FORM),
    (form(part("image", b"", FILE)), FORM),
    (form(part("image", DATA)), FORM),
    (form(part("IMAGE", DATA, FILE)), FORM),
    (form(part("image", DATA, '; filename="../p.jpg"')), FORM),
    (form(part("image", DATA, "; filename*=UTF-8''p.jpg")), FORM),
    (form(part("image", b64encode(DATA), FILE, "Content-Transfer-Encoding: base64\r\n")), FORM),
    (form(part("image", DATA + b"--XX", FILE)), FORM),
    (form(part("image", DATA + b"\r\n--XXX", FILE)), FORM),
    (form(IMAGE, IMAGE), FORM),
    (form(IMAGE, part("more", b"1")), FORM),
    (form(IMAGE, part("user_id", " 设备".encode())), FORM),
    (form(IMAGE, part("user_id", b"u 1")), FORM),
    (form(IMAGE, part("user_id", b"u1", FILE)), FORM),
    (form(IMAGE, part("image_hash", b"xyz")), FORM),
    (form(IMAGE, part("image_hash", b"")), FORM),
    (form(IMAGE, part("image_hash", UNKNOWN.encode())), FORM),
    (form(USER), FORM),
    (form(IMAGE)[:-6], FORM),
    (form(IMAGE)[2:], FORM),
    (form(IMAGE) + b"more", FORM),
    (form(IMAGE), {"CONTENT_TYPE": "multipart/form-data; boundary=YY"}),
    (form(IMAGE), {"CONTENT_TYPE": "multipart/form-data; charset=utf-16; boundary=XX"}),
    (form(IMAGE), {"CONTENT_TYPE": "multipart/form-data"}),
    (form(IMAGE), {"CONTENT_TYPE": "application/json"}),
    (form(IMAGE), FORM | {"HTTP_COOKIE": "django_language=en"}),
    (form(IMAGE), FORM | {"REQUEST_METHOD": "PUT"}),
    (b"", FORM),
]
OTHER_BATCHES: list[Case] = [
    ({"image_hashes": []}, {}),
    ({"image_hashes": [KNOWN, *MANY, UNKNOWN]}, {}),
    ({"image_hashes": [KNOWN, "xyz"]}, {}),
    ({"image_hashes": [KNOWN, ""]}, {}),
    ({"image_hashes": [KNOWN, f" {KNOWN}"]}, {}),
    ({"image_hashes": [f"{KNOWN},{KNOWN}"]}, {}),
    ({"image_hashes": [KNOWN, None, 7, {"a": KNOWN}, [KNOWN]]}, {}),
    ({"image_hashes": KNOWN}, {}),
    ({"image_hashes": {KNOWN: 1}}, {}),
    ({"image_hashes": [KNOWN], "user_id": 7}, {}),
    ({"image_hashes": [KNOWN], "more": "x" * 70_000}, {}),
    ({"image_hash": KNOWN}, {}),
    ([KNOWN], {}),
    (b"{", {}),
]


@pytest.mark.parametrize(
    ("path", "body", "environ", "is_plain"),
    [
        *((CHECK, *case, True) for case in PLAIN),
        *((CHECK, *case, False) for case in OTHERS),
        *((BATCH, *case, True) for case in PLAIN_BATCHES),
        *((BATCH, *case, False) for case in OTHER_BATCHES),
        *((UPLOAD, *case, True) for case in PLAIN_UPLOADS),
        *((UPLOAD, *case, False) for case in OTHER_UPLOADS),
    ],
    ids=lambda value: "form" if isinstance(value, bytes) else None,
)
def test_both_ways_give_the_same_answer(
    path: str, body: Any, environ: dict[str, Any], is_plain: bool
) -> None:
    environ = {"PATH_INFO": path} | environ
    lane = Lane()
    status, headers, answer = ask(lane.application, body, **environ)
    slow_status, slow_headers, slow_answer = ask(DJANGO, body, **environ)
    buffer.flush()
    columns = {field.name for field in RequestLog._meta.fields} - OWN_COLUMNS
    rows = list(RequestLog.objects.order_by("pk").values(*columns))
    half = len(rows) // 2

    assert lane.passed_on is not is_plain
    assert status.split()[0] == slow_status.split()[0]
    assert headers["content-type"] == slow_headers["content-type"]
    assert headers["x-request-id"] == answer["request_id"]
    for field in ("request_id", "timestamp", "processing_time_ms"):
        answer.pop(field, None)
        slow_answer.pop(field, None)
    assert answer == slow_answer
    assert rows[:half] == rows[half:]
    hits = sum(row["from_cache"] for row in rows)
    answers = answer.get("items", [answer])
    assert hits == 2 * sum(each.get("cached", each.get("from_cache", 0)) for each in answers)
    assert CacheEntry.objects.aggregate(hits=Sum("hit_count") - Count("pk"))["hits"] == hits


def test_a_photo_that_goes_on_to_django_is_looked_up_once() -> None:
    lane = Lane()
    unknown = form(part("image", b"\xff\xd8 unknown", FILE))
    with CaptureQueriesContext(connection) as captured:
        _, _, answer = ask(lane.application, unknown, PATH_INFO=UPLOAD, **FORM)

    assert lane.passed_on
    assert answer["error_code"] == "invalid_image"
    sql = [query["sql"] for query in captured.captured_queries]
    assert len([each for each in sql if "FROM image_classification_cache" in each]) == 1


def test_a_host_that_is_not_ours_goes_on_to_django() -> None:
    lane = Lane()
    status, _, answer = ask(lane.application, {"image_hash": KNOWN}, HTTP_HOST="evil.example.com")

    assert lane.passed_on
    assert (status, answer["error_code"]) == ("400 Bad Request", "invalid_request")


def test_a_database_that_is_away_is_told_in_the_shape_of_errors() -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("gone")

    answer_cache.reset()
    lane = Lane()
    with connection.execute_wrapper(away):
        status, headers, answer = ask(lane.application, {"image_hash": KNOWN})

    assert status == "503 Service Unavailable"
    assert (answer["error_code"], answer["success"]) == ("database_unavailable", False)
    assert int(headers["retry-after"]) > 0
    assert not lane.passed_on
