"""What is kept of a failed call for staff, and told in the log: its cause, and nothing that must
not be kept."""

import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from classification.models import CacheEntry, CallFailure, ModelCall
from classification.providers import retries
from tests.support.api import is_known, upload
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.ports import free_port

pytestmark = pytest.mark.django_db


def page_of_call(client: Client) -> str:
    call = ModelCall.objects.get()
    page: Any = client.get(reverse("admin:classification_modelcall_change", args=[call.pk]))
    return str(page.content.decode())


def test_the_providers_status_code_and_message_are_shown(
    client: Client, admin_client: Client, model: DashScopeServer
) -> None:
    model.error = (400, "InvalidParameter", "The image length is wrong. <b>")
    model.script("error")
    upload(client, photo())

    page = page_of_call(admin_client)
    assert "HTTP 400 · InvalidParameter · The image length is wrong. &lt;b&gt;" in page


def test_an_answer_that_cannot_be_read_is_shown(
    client: Client, admin_client: Client, model: DashScopeServer
) -> None:
    model.words = "I see two cats on a sofa."
    upload(client, photo())

    assert "I see two cats on a sofa." in page_of_call(admin_client)


@pytest.mark.parametrize(
    "words",
    [
        '{"category": "idcard", "confidence": 0.9, "description": "张三',
        "一张身份证，姓名张三",
        "A passport of JANE DOE",
    ],
)
def test_nothing_is_kept_of_a_reply_that_may_repeat_a_card(
    client: Client, model: DashScopeServer, words: str
) -> None:
    model.words = words
    upload(client, photo())

    assert [failure.reply for failure in CallFailure.objects.all()] == [""]


def test_half_a_character_of_a_cut_text_is_left_out(client: Client, model: DashScopeServer) -> None:
    """Services that count in UTF-16 cut an emoji in two, and JSON can hold one half."""
    model.error = (400, "InvalidParameter", "Wrong \ud83d")
    model.script("error", "half_characters")
    codes = [upload(client, photo(seed=seed)).json()["error_code"] for seed in (1, 2)]
    kept = CallFailure.objects.order_by("pk").values_list("message", "reply")

    assert codes == ["model_unavailable", "model_bad_reply"]
    assert list(kept) == [("Wrong ", ""), ("", "a cat ")]
    assert ModelCall.objects.latest("pk").provider_request_id == "r"


def test_an_answer_with_half_a_character_is_kept(client: Client, model: DashScopeServer) -> None:
    """MariaDB refuses JSON with such a half, and each upload of the photo was paid for again."""
    model.words = '{"category": "pets", "confidence": 0.9, "description": "a cat \ud83d"}'
    upload(client, photo())

    assert CacheEntry.objects.get().description == "a cat"
    assert is_known(client, photo())


def test_keys_photos_and_long_numbers_are_masked_and_long_texts_cut(
    client: Client, model: DashScopeServer
) -> None:
    secrets = ("sk-abc123def456", "data:image/jpeg;base64," + "Qm9" * 40, "13812345678")
    model.error = (401, "InvalidApiKey", " ".join(secrets) + " and so on " * 200)
    model.script("error")
    upload(client, photo())

    failure = CallFailure.objects.get()
    assert failure.message.startswith("… data:image/jpeg;base64,… … and so on")
    assert len(failure.message) == 500


def test_a_good_answer_leaves_nothing_and_a_call_without_response_no_status(
    client: Client, model: DashScopeServer
) -> None:
    upload(client, photo())
    model.script("close_in_body")
    upload(client, photo(seed=2))

    assert ModelCall.objects.count() == 2
    assert not CallFailure.objects.filter(status=200, reply__gt="").exists()


def test_it_is_kept_as_long_as_the_log_and_the_ledger_longer(
    client: Client, model: DashScopeServer
) -> None:
    model.words = "no verdict"
    upload(client, photo())
    with time_machine.travel(timezone.now() + timedelta(days=91), tick=False):
        call_command("purge_request_log", verbosity=0)

    assert not CallFailure.objects.exists()
    assert ModelCall.objects.exists()


def test_a_photo_whose_provider_is_unreachable_has_one_line_in_the_log(
    client: Client,
    model: DashScopeServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(retries, "BACKOFF_SECONDS", 0.01)
    settings.LLM_BASE_URL = f"http://127.0.0.1:{free_port()}/api/v1"
    settings.LLM_TIMEOUT = 20  # for a busy machine
    with caplog.at_level(logging.DEBUG, logger="classification"):
        answer = upload(client, photo())

    calls = retries.MAX_CALLS
    (line,) = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert answer.status_code == 503
    assert ModelCall.objects.count() == calls
    assert line.levelno == logging.WARNING
    assert "ConnectionLost (ConnectionRefusedError ECONNREFUSED)" in line.getMessage()
    assert f"(calls: {calls}, " in line.getMessage()
    assert len([record for record in caplog.records if record.levelno == logging.DEBUG]) == calls


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("https://u:secret@{server}", "SSLError"),
        ("http://u:secret@no-such-host.invalid", "gaierror"),
        ("http://u:secret@{server}", "RemoteDisconnected"),
    ],
)
def test_the_log_says_why_the_connection_to_the_model_was_lost(
    client: Client,
    model: DashScopeServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    address: str,
    cause: str,
) -> None:
    monkeypatch.setattr(retries, "MAX_CALLS", 1)
    settings.LLM_BASE_URL = address.format(server=model.address.partition("://")[2]) + "/api/v1"
    model.script("close_before_answer")
    upload(client, photo())

    (line,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert f"failed: ConnectionLost ({cause}" in line.getMessage()
    assert "secret" not in line.getMessage()
