"""Commits that fail since another node of a cluster has just committed the same rows."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from pytest_django import Settings

from accounts.models import AttemptCount
from classification.models import ModelCall, PromptVersion
from clients.models import App
from tests.support.apps import bearer, make_app
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def contested(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Every other commit fails, beginning with the next; tells which did."""
    App.objects.anonymous()  # made by the first migration, and emptied by the tests before
    failed: list[bool] = []
    commit: Any = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

    def contested_commit(self: BaseDatabaseWrapper) -> None:
        failed.append(not failed or not failed[-1])
        if failed[-1]:
            self.connection.rollback()
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        commit(self)

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", contested_commit)
    return failed


def test_the_first_request_of_an_installation_and_a_day_is_answered(
    client: Client,
    model: DashScopeServer,
    settings: Settings,
    request: pytest.FixtureRequest,
) -> None:
    settings.DAILY_COST_LIMIT = 1
    key = make_app("camera", "--new-photos-per-day", "5", "--user-new-photos-per-day", "5")
    failed: list[bool] = request.getfixturevalue("contested")
    image = SimpleUploadedFile("p.jpg", photo())
    answer = client.post(
        "/api/v1/classify", {"image": image, "user_id": "anna"}, headers=bearer(key)
    )

    assert answer.json()["source"] == "llm"
    assert PromptVersion.objects.count() == ModelCall.objects.count() == len(model.requests) == 1
    assert failed.count(True) >= 5  # the prompt, the day, two counters, what was reserved, ...


def test_a_wrong_token_is_counted(client: Client, contested: list[bool]) -> None:
    answer = client.get("/api/v1/stats/today", headers={"Authorization": "Token wrong"})

    assert answer.status_code == 401
    assert AttemptCount.objects.get().attempts == 1
    assert any(contested)
