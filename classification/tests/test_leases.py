"""Leases that end when the database fails while they are held: a photo is never locked for good."""

from typing import Any

import pytest
from django.db import Error, InterfaceError, OperationalError, connection
from django.test import Client

from classification.default_prompt import DEFAULT_PROMPT
from classification.models import CacheEntry, Lease, PromptVersion
from classification.pipeline import classify, leases
from classification.pipeline.write_behind import buffer
from tests.support.api import sha256, upload
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db(transaction=True)
UPDATE = f"UPDATE {connection.ops.quote_name(Lease._meta.db_table)}"
ERRORS = [OperationalError(2013, "Lost connection"), InterfaceError(0, "")]


class Failing:
    """Fails the statements that contain `words` with `error`, but for the first `spared`."""

    def __init__(self, error: Error, words: str, spared: int = 0) -> None:
        self.error, self.words, self.spared = error, words, spared

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        if self.words not in sql:
            return execute(sql, *rest)
        self.spared -= 1
        if self.spared < 0:
            raise self.error
        return execute(sql, *rest)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "FLIGHT_SECONDS", 2)


@pytest.mark.parametrize("error", ERRORS)
def test_a_lease_is_released_if_the_database_fails_at_the_second_look(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch, error: Error
) -> None:
    """Entries are looked up again after a lease that took long to get."""
    with monkeypatch.context() as patch:
        patch.setattr(leases, "LINGER_SECONDS", 0)
        with connection.execute_wrapper(Failing(error, "FROM image_classification_cache", 1)):
            failed = upload(client, photo())
    buffer.flush()
    answered = upload(client, photo())

    assert (failed.status_code, failed.json()["error_code"]) == (503, "database_unavailable")
    assert answered.json()["source"] == "llm"
    assert len(model.requests) == 1


def test_a_lease_taken_over_is_for_the_prompt_of_now(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another host publishes one while this one waits for the holder, which is dead."""
    upload(client, photo(seed=1))
    monkeypatch.setattr(leases, "DEAD_SECONDS", 0)
    Lease.objects.create(image_hash=sha256(photo(seed=2)), token="killed")

    def publish_before(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("SELECT") and "flight" in sql:
            version = PromptVersion(version=2, text=DEFAULT_PROMPT, accepted_from=2)
            PromptVersion.objects.bulk_create([version], ignore_conflicts=True)
        return execute(sql, *rest)

    with connection.execute_wrapper(publish_before):
        answered = upload(client, photo(seed=2))

    assert answered.json()["source"] == "llm"
    assert len(model.requests) == 2
    assert CacheEntry.objects.get(image_hash=sha256(photo(seed=2))).prompt_version == 2


@pytest.mark.parametrize("error", ERRORS)
def test_a_lease_is_released_if_its_ending_cannot_be_written(
    client: Client, model: DashScopeServer, error: Error
) -> None:
    model.script("InvalidParameter", "ok")
    with connection.execute_wrapper(Failing(error, UPDATE)):
        failed = upload(client, photo())
    buffer.flush()
    answered = upload(client, photo())

    assert failed.json()["error_code"] == "model_unavailable"
    assert answered.json()["source"] == "llm"
