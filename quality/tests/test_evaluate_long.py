"""A run is locked from its beginning, and for as long as it takes."""

import threading

import pytest
from django.core.management import CommandError
from django.db import connection
from pytest_django import Settings

from core.database import locks
from quality.evaluation import measuring
from quality.models import EvaluationRun
from tests.support.dashscope_server import DashScopeServer
from tests.support.evaluation import evaluate
from tests.support.labelled_photos import LabelledPhotos
from tests.support.waiting import at_once, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_long_run_with_steady_answers_stays_locked(
    photos: LabelledPhotos,
    model: DashScopeServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(locks, "IDLE_SECONDS", 6)
    monkeypatch.setattr(measuring, "ALIVE_SECONDS", 2)
    settings.LLM_MAX_CONCURRENCY, model.delay = 1, 0.5
    for number in range(20):
        photos.add(f"pets/{number}.png", "pets")
    photos.taught(model)

    def run_again() -> None:
        wait_until(lambda: len(model.requests) == 17, 60)
        with pytest.raises(CommandError, match="Another process is working on the same run"):
            evaluate(photos)
        refused.set()

    refused = threading.Event()
    threading.Thread(target=run_again).start()
    figures = evaluate(photos)

    assert figures["photos"] == len(model.requests) == 20
    assert refused.is_set()


def test_of_two_commands_at_once_one_asks(photos: LabelledPhotos, model: DashScopeServer) -> None:
    model.delay = 1.0
    photos.add("pets/1.png", "pets")
    photos.taught(model)
    refusals = []

    def run() -> None:
        try:
            evaluate(photos)
        except CommandError as refusal:
            refusals.append(str(refusal))
        finally:
            connection.close()

    at_once([run] * 2)

    assert refusals == ["Another process is working on the same run."]
    assert EvaluationRun.objects.count() == len(model.requests) == 1
