"""A photo whose answers cannot be read is not paid for again and again."""

import pytest
import time_machine
from django.test import Client

from classification import prompts
from classification.models import Lease, ModelCall, PromptVersion
from classification.pipeline import leases
from classification.pipeline.write_behind import buffer
from tests.support.api import is_known, upload
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db(transaction=True)

NOON = "2026-11-25T12:00:00+08:00"
SOON_AFTER = "2026-11-25T12:59:00+08:00"
AN_HOUR_LATER = "2026-11-25T13:00:01+08:00"


def test_after_two_unreadable_answers_a_photo_is_not_asked_for_an_hour(
    client: Client, model: DashScopeServer
) -> None:
    model.script("no_verdict")
    with time_machine.travel(NOON, tick=False):
        responses = [upload(client, photo()) for _ in range(10)]
        buffer.flush()

    assert {response.json()["error_code"] for response in responses} == {"model_bad_reply"}
    assert {response.status_code for response in responses} == {502}
    assert len(model.requests) == ModelCall.objects.count() == 2
    assert responses[-1]["Retry-After"] == "3601"
    with time_machine.travel(SOON_AFTER, tick=False):
        assert upload(client, photo())["Retry-After"] == "61"
        assert upload(client, photo(seed=2)).status_code == 502  # another photo is asked
    assert len(model.requests) == 3
    model.script("ok")
    with time_machine.travel(AN_HOUR_LATER, tick=False):
        assert upload(client, photo()).status_code == 200
    assert is_known(client, photo())


def test_a_clock_that_was_ahead_makes_no_longer_pause(
    client: Client, model: DashScopeServer
) -> None:
    model.script("no_verdict", "no_verdict", "ok")
    with time_machine.travel(AN_HOUR_LATER, tick=False):
        for _ in range(2):
            upload(client, photo())
    with time_machine.travel(NOON, tick=False):
        assert upload(client, photo()).status_code == 200


def test_the_hour_outlasts_the_leases_that_are_deleted_after_seconds(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.script("no_verdict", "no_verdict", "ok")
    for _ in range(2):
        upload(client, photo())
    monkeypatch.setattr(leases, "LINGER_SECONDS", -1)
    buffer.flush()

    assert upload(client, photo()).json()["error_code"] == "model_bad_reply"
    assert len(model.requests) == 2


def test_unreadable_answers_are_forgotten_after_a_day(
    client: Client, model: DashScopeServer
) -> None:
    model.script("no_verdict")
    with time_machine.travel(NOON, tick=False) as now:
        upload(client, photo())
        kept = []
        for hours in (23, 2):
            now.shift(hours * 3600)
            leases.expire_unreadable()
            kept.append(Lease.objects.count())

    assert kept == [1, 0]


def test_another_prompt_is_another_question(client: Client, model: DashScopeServer) -> None:
    model.script("no_verdict", "no_verdict", "ok")
    for _ in range(3):
        upload(client, photo())
    PromptVersion.objects.create(version=2, text="Look, and answer in JSON.")
    prompts.invalidate()

    assert upload(client, photo()).status_code == 200
    assert len(model.requests) == 3


def test_one_unreadable_answer_is_no_reason_to_give_up(
    client: Client, model: DashScopeServer
) -> None:
    model.script("no_verdict", "ok")
    upload(client, photo())

    assert upload(client, photo()).status_code == 200
