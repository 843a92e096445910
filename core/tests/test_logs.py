"""What a real server writes into its log, at its most talkative."""

import base64
import hashlib
import json
import logging
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client

from classification.default_prompt import DEFAULT_PROMPT
from tests.support.dashscope_server import ODD_BODIES, DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import (
    RunningServer,
    ScratchDatabase,
    manage,
    running_server,
)

pytestmark = pytest.mark.timeout(180)

KEY = "sk-a-key-that-nobody-may-see"
PERSON = {"X-User-ID": "phone-of-mrs-wang", "X-Forwarded-For": "203.0.113.77"}
STAFF = {"DJANGO_SUPERUSER_USERNAME": "lin", "DJANGO_SUPERUSER_PASSWORD": "a long password"}
# None of these ends in calls that rest.
MODES = ["ok", "not_json", "ok", "no_verdict", "close_in_body", "ok", "DataInspectionFailed"]


def read_pages(server: RunningServer) -> None:
    """The staff's pages, which show users and the prompt."""
    site = server.base_url.removesuffix("/api/v1")
    with requests.Session() as session:
        login = f"{site}/admin/login/"
        session.get(login, timeout=30)
        form = {"username": "lin", "password": "a long password", "next": "/"}
        form["csrfmiddlewaretoken"] = session.cookies["csrftoken"]
        page = session.post(login, data=form, headers={"Referer": login}, timeout=30)
        assert PERSON["X-User-ID"] in page.text
        assert "八个类别" in session.get(f"{site}/prompt/", timeout=30).text


@pytest.mark.django_db
def test_a_request_for_another_hosts_name_takes_a_line(client: Client) -> None:
    handler: Any = next(h for h in logging.getLogger().handlers if h.get_name() == "default")
    lines = StringIO()
    before = handler.setStream(lines)
    try:
        client.get("/api/v1/health", HTTP_HOST="evil.example.com")
    finally:
        handler.setStream(before)

    assert "evil.example.com" in lines.getvalue()
    assert lines.getvalue().count("\n") == 1


def test_the_log_of_a_server_tells_every_call_and_nothing_private(
    database: ScratchDatabase, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    settings = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG", "LLM_API_KEY": KEY}
    settings |= {"TRUSTED_PROXIES": "127.0.0.1", "WEB_WORKERS": "1", "DEBUG": "true"}
    photos = [photo(seed=seed) for seed in range(len(MODES) + 2)]
    manage(database, "create_first_staff", **STAFF)
    with (
        log.open("w") as output,
        DashScopeServer() as dashscope,
        running_server(database, dashscope, output, **settings) as server,
    ):
        answers = []
        for mode, data in zip([*MODES, "InvalidApiKey", "ok"], photos, strict=True):
            dashscope.script(mode)
            answers.append(server.upload(data, headers=PERSON))
        server.check(hashlib.sha256(photos[0]).hexdigest())
        requests.post(f"{server.base_url}/classify", data="{", headers=PERSON, timeout=30)
        requests.get(f"{server.base_url}/nothing?user={PERSON['X-User-ID']}", timeout=30)
        read_pages(server)

    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if not line.startswith("Serving on")]
    calls = [line for line in lines if "provider_request_id" in line]
    assert_calls_are_told(calls, answers)
    assert {line["logger"] for line in lines} >= {
        "_granian",
        "classification.providers.retries",
    }
    secrets = [KEY, *PERSON.values(), "127.0.0.1:3306/", "ci:ci", "a long password", "一只猫"]
    secrets += [DEFAULT_PROMPT[:12], *(base64.b64encode(data[:60]).decode() for data in photos)]
    assert [secret for secret in secrets if secret in text] == []


def assert_calls_are_told(calls: list[dict[str, Any]], answers: list[requests.Response]) -> None:
    """A line for each call, with the id of the request that made it."""
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    told = list(dict.fromkeys(call["request_id"] for call in calls))
    assert told == ids[:-1]  # calls rest after the refused key
    assert [call["outcome"] for call in calls[:2]] == ["ok", "model_bad_reply"]
    assert calls[0]["provider_request_id"] == "provider-request-1"
    assert calls[-1]["message"].startswith("qwen3-vl-plus failed: HTTP 401 InvalidApiKey")
    assert set(MODES) & set(ODD_BODIES)


def test_a_refusal_has_one_line_and_a_health_probe_none(
    database: ScratchDatabase, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with (
        log.open("w") as output,
        DashScopeServer() as dashscope,
        running_server(database, dashscope, output, WEB_WORKERS="1") as server,
    ):
        dashscope.script("InvalidApiKey")
        refused = server.upload(photo()).headers["X-Request-ID"]
        statuses = {
            requests.get(f"{server.base_url}/health", timeout=30).status_code for _ in range(5)
        }

    lines = log.read_text().splitlines()
    assert statuses == {503}
    (line,) = [line for line in lines if refused in line]
    assert "HTTP 401 InvalidApiKey" in line
    assert "Check LLM_API_KEY" in line
    assert not [line for line in lines if "/api/v1/" in line or line.startswith("Traceback")]


def test_a_log_file_that_cannot_be_opened_again_costs_no_answer(
    database: ScratchDatabase, tmp_path: Path
) -> None:
    """As after a rotation that leaves the file, or its folder, to another user."""
    folder, output = tmp_path / "logs", tmp_path / "output"
    folder.mkdir()
    with (
        output.open("w") as errors,
        DashScopeServer() as dashscope,
        running_server(
            database, dashscope, errors, LOG_FILE=str(folder / "log"), WEB_WORKERS="1"
        ) as server,
    ):
        shutil.rmtree(folder)
        answers = [server.upload(photo(seed=seed)) for seed in range(2)]
        dashscope.script("InvalidApiKey")
        refused = server.upload(photo(seed=2))
        folder.mkdir()  # and the server logs that it stops

    assert [answer.status_code for answer in answers] == [200, 200]
    assert database.value("SELECT COUNT(*) FROM request_log WHERE outcome = 'ok'") == 2
    assert refused.json()["error_code"] == "model_not_configured"
    # Until the file can be opened, its lines go to the standard error.
    assert refused.headers["X-Request-ID"] not in (folder / "log").read_text()
    assert "HTTP 401 InvalidApiKey" in output.read_text()
    assert "Shutting down" in (folder / "log").read_text()
