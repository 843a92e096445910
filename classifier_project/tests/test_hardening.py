"""What strangers send to do harm, and what every answer carries against it."""

import json
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import Client
from pytest_django import Settings

from classification.api.fast_path import with_lookup_fast_path, with_upload_fast_path
from classification.api.request_bodies.buffering import buffer_request_bodies
from classification.models import CacheEntry, Lease, RequestLog
from core.security_headers import SECURITY_HEADERS
from core.sharing import cpu_gate
from tests.support.api import check_cache
from tests.support.apps import make_app, run
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db(transaction=True)

CHECK = "/api/v1/classify/check-cache"
BATCH = "/api/v1/classify/batch"
HASH = "ab" * 32
HALF = "\ud83d"  # of an emoji
LONG = str(300 * 1024 * 1024)
APPLICATION = with_lookup_fast_path(
    buffer_request_bodies(with_upload_fast_path(get_wsgi_application()))
)


def send(path: str, body: bytes, content_type: str, **environ: Any) -> tuple[str, Any, bytes]:
    """The status, headers and body of the whole application's answer to a POST."""
    answer: list[Any] = []
    defaults = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": content_type,
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "http",
    }
    content = b"".join(
        APPLICATION(defaults | environ, lambda *given, **_: answer.extend(given))  # type: ignore[arg-type]
    )
    return answer[0], dict(answer[1]), content


def form(data: bytes) -> tuple[bytes, str]:
    head = b'--XX\r\nContent-Disposition: form-data; name="image"; filename="p.jpg"\r\n\r\n'
    return head + data + b"\r\n--XX--\r\n", "multipart/form-data; boundary=XX"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("/admin/login/", 413), ("/i18n/setlang/", 413), ("/prompt/publish/", 413)),
        *(("/test/again/", 413), ("/test/keep/", 413), ("/prompt/trial/", 413), ("/nope", 413)),
        *(("/api/v1/classify", 413), (BATCH, 413), (CHECK, 400), ("/api/v1/stats/today", 400)),
    ],
)
def test_a_body_that_is_too_long_is_refused_unread(path: str, status: int) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/admin/login/")  # with a token's cookie, the form is searched for the token
    body = BytesIO(b"--XX")
    environ: dict[str, Any] = {"CONTENT_LENGTH": LONG, "wsgi.input": body}
    response = client.generic("POST", path, b"", "multipart/form-data; boundary=XX", **environ)

    assert response.status_code == status
    assert body.tell() == 0


def test_a_chunked_body_is_taken_as_any_other(settings: Settings) -> None:
    settings.LLM_PROVIDER = "local"
    chunked: dict[str, Any] = {"HTTP_TRANSFER_ENCODING": "chunked"}
    question = json.dumps({"image_hash": "0" * 64}).encode()
    asked = send(CHECK, question, "application/json", **chunked)
    uploaded = send("/api/v1/classify", *form(photo()), **chunked)

    assert (asked[0], json.loads(asked[2])["cached"]) == ("200 OK", False)
    assert (uploaded[0], json.loads(uploaded[2])["success"]) == ("200 OK", True)


@pytest.mark.parametrize(
    "parameters",
    [
        *("; charset=rot13", "; charset=base64", "; charset=nowhere", "; charset=undefined"),
        *("; a*=nowhere''b", "; boundary*=nowhere''b", "; charset*=nowhere''b", "; a*0*=rot13''b"),
    ],
)
def test_a_content_type_in_no_encoding_is_read_without_it(
    settings: Settings, parameters: str
) -> None:
    settings.LLM_PROVIDER = "local"
    question = json.dumps({"image_hash": "0" * 64}).encode()
    body, content_type = form(photo())
    length = {"CONTENT_LENGTH": str(len(body))}
    asked = send(
        CHECK, question, "application/json" + parameters, CONTENT_LENGTH=str(len(question))
    )
    uploaded = send("/api/v1/classify", body, content_type + parameters, **length)

    assert asked[0] in {"200 OK", "400 Bad Request"}
    assert (uploaded[0], json.loads(uploaded[2])["success"]) == ("200 OK", True)


def test_who_sends_slowly_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_gate, "PATIENCE_SECONDS", 60)
    body, content_type = form(b"not a photo")
    begun, ended = threading.Event(), threading.Event()

    class Slow(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            begun.set()
            ended.wait(60)
            return super().read(size)

    def upload(stream: BytesIO) -> str:
        environ: dict[str, Any] = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": stream}
        status, *_ = send("/api/v1/classify", b"", content_type, **environ)
        connections.close_all()
        return status

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(upload, Slow(body))
        assert begun.wait(30)
        try:
            assert pool.submit(upload, BytesIO(body)).result(30).startswith("400")
            assert not slow.done()
        finally:
            ended.set()
        assert slow.result(30).startswith("400")


@pytest.mark.parametrize(("path", "code"), [("/api/v1/classify", 413), ("/admin/login/", 413)])
def test_a_chunked_body_without_end_is_left_at_its_limit(
    settings: Settings, path: str, code: int
) -> None:
    settings.MAX_IMAGE_SIZE_MB = 1

    class Endless:
        taken = 0

        def read(self, size: int) -> bytes:
            self.taken += size
            return b"x" * size

    endless = Endless()
    status, *_ = send(
        path, b"", form(b"")[1], HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": endless}
    )

    assert status.startswith(str(code))
    assert endless.taken < 1.2 * 1024 * 1024


@pytest.mark.parametrize(("depth", "statuses"), [(500, [400, 200, 200]), (30_000, [400] * 3)])
def test_json_nested_by_the_thousand_is_refused(
    client: Client, depth: int, statuses: list[int]
) -> None:
    deep = "[" * depth + "]" * depth
    bodies = [
        client.post(CHECK, f'{{"image_hash": {deep}}}', "application/json"),
        client.post(f"{BATCH}-check-cache", f'{{"image_hashes": {deep}}}', "application/json"),
        client.post(BATCH, {"images": [SimpleUploadedFile("p.jpg", b"x")], "image_hashes": deep}),
    ]

    assert [body.status_code for body in bodies] == statuses
    answers = [body.json() for body in bodies]
    refusals = [item for answer in answers for item in answer.get("items", [answer])]
    assert {each["error_code"] for each in refusals} <= {"invalid_request", "invalid_hash"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHECK, {"image_hash": HASH, "user_id": HALF * 65}),
        (f"{BATCH}-check-cache", {"image_hashes": [HASH, HALF]}),
        ("/api/v1/classify/feedback", {"image_hash": HASH, "category": HALF}),
    ],
)
def test_half_a_character_is_refused(client: Client, path: str, body: dict[str, Any]) -> None:
    answer = client.post(path, json.dumps(body), "application/json")

    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")


def test_a_form_of_thousands_of_parts_is_refused(client: Client) -> None:
    files = {"images": [SimpleUploadedFile(f"{n}.jpg", b"x") for n in range(150)]}
    fields = {f"f{n}": "x" for n in range(1200)}

    assert client.post(BATCH, files).json()["error_code"] == "invalid_request"
    assert client.post("/api/v1/classify", fields).json()["error_code"] == "invalid_request"


def test_every_answer_carries_the_headers_that_protect(client: Client) -> None:
    question = json.dumps({"image_hash": "0" * 64}).encode()
    paths = ("/admin/login/", "/", "/nope", "/static/css/site.css", "/docs", "/api/v1/health")
    answers = [
        *(_headers(client.get(path)) for path in paths),
        _headers(client.get("/api/v1/nope")),
        _headers(client.get("/api/v1/stats/today")),
        _headers(client.get("/", HTTP_HOST="evil.example.com")),
        _headers(client.post("/admin/login/")),
        send(CHECK, question, "application/json", CONTENT_LENGTH=str(len(question)))[1],
        send(CHECK, b"{", "application/json", CONTENT_LENGTH="1")[1],
    ]

    for headers in answers:
        assert set(SECURITY_HEADERS) <= set(headers)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe-eval" not in headers["Content-Security-Policy"]


def test_nothing_of_the_api_is_given_to_somebody_else_by_a_cache(client: Client) -> None:
    key = make_app()
    question = json.dumps({"image_hash": "0" * 64}).encode()
    usage = client.get("/api/v1/usage", headers={"X-API-Key": key})
    answers = [
        _headers(usage),
        *(_headers(client.get(f"/api/v1/{path}")) for path in ("health", "classify", "nope")),
        send(CHECK, question, "application/json", CONTENT_LENGTH=str(len(question)))[1],
    ]

    assert usage.status_code == 200
    assert [headers["Cache-Control"] for headers in answers] == ["no-store"] * 5


def _headers(response: Any) -> Any:
    response.close()
    return response.headers


def test_over_tls_browsers_are_told_to_stay_there(client: Client, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000

    assert "max-age=31536000" in client.get("/", secure=True)["Strict-Transport-Security"]


@pytest.mark.parametrize(
    "target", ["https://evil.example.com/", "//evil.example.com/", "javascript:alert(1)", "/\\evil"]
)
def test_nobody_is_sent_to_another_site(client: Client, target: str) -> None:
    User.objects.create_user("anna", password="right", is_staff=True)
    login = {"username": "anna", "password": "right", "next": target}
    there = [
        client.post("/admin/login/", login)["Location"],
        client.post("/i18n/setlang/", {"language": "en", "next": target})["Location"],
    ]

    assert all(location.startswith("/") for location in there)
    assert not any("evil" in location for location in there)


def test_another_hosts_name_is_not_ours(client: Client) -> None:
    wrong = client.get("/api/v1/health", HTTP_HOST="evil.example.com")
    forwarded = client.get("/", HTTP_X_FORWARDED_HOST="evil.example.com")

    assert (wrong.status_code, wrong.json()["error_code"]) == (400, "invalid_request")
    assert "evil" not in forwarded["Location"]


def test_other_sites_scripts_are_not_answered(client: Client, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    ours = client.get("/api/v1/health", HTTP_ORIGIN="https://app.example.com")
    theirs = client.get("/api/v1/health", HTTP_ORIGIN="https://evil.example.com")
    page = client.get("/admin/login/", HTTP_ORIGIN="https://app.example.com")

    assert ours["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Access-Control-Allow-Credentials" not in ours
    assert "Access-Control-Allow-Origin" not in theirs
    assert "Access-Control-Allow-Origin" not in page


def test_a_web_page_can_read_the_headers_that_apps_are_told(
    client: Client, settings: Settings
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    run("create_app", "anonymous", "--new-photos-per-day", "5")
    headers = {"Origin": "https://app.example.com"}
    answer = check_cache(client, headers=headers)
    told = {"x-request-id", "retry-after", "ratelimit-policy", "ratelimit"}

    assert told <= set(answer["Access-Control-Expose-Headers"].lower().split(", "))
    assert answer["RateLimit"].startswith('"new-photos";r=5;')


def test_a_photo_is_written_nowhere(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither into a temporary file, which a large upload would become, nor into a table."""
    settings.LLM_PROVIDER = "local"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "none")
    data = photo("PNG", size=(2000, 1500), seed=3, compress_level=0)
    reply = client.post("/api/v1/classify", {"image": SimpleUploadedFile("mine.png", data)})
    rows = [*CacheEntry.objects.values(), *RequestLog.objects.values(), *Lease.objects.values()]

    assert reply.status_code == 200
    assert len(data) > 5 * 1024 * 1024
    assert list(tmp_path.iterdir()) == []
    assert rows
    assert len(json.dumps(rows, default=str)) < 5000
    assert "mine.png" not in json.dumps(rows, default=str)
