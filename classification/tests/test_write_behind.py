"""What is written behind the request: nothing lost, nothing twice, whatever the database does."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone

from classification import prompts
from classification.billing import reservations
from classification.models import CacheEntry, ModelCall, PromptVersion, RequestLog
from classification.pipeline import model_call
from classification.pipeline.request_log import ClientInfo, Result, log_row
from classification.pipeline.write_behind import buffer
from clients.models import QuotaCounter
from tests.support.api import check_cache, is_known, make_entry, sha256, upload
from tests.support.apps import bearer, make_app
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def commits_unanswered(monkeypatch: pytest.MonkeyPatch, *, written: bool) -> Iterator[None]:
    """The connection is lost at each commit, before or after the database has done it."""
    commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

    def lose(self: BaseDatabaseWrapper) -> None:
        if written:
            commit(self)
        raise OperationalError(2013, "Lost connection during query")

    with monkeypatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "_commit", lose)
        yield


def elsewhere(action: Callable[[], Any]) -> Any:
    """What this returns when another thread does it, on a connection of its own."""

    def act() -> Any:
        try:
            return action()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result(30)


@pytest.mark.parametrize("written", [True, False])
def test_hits_are_counted_once_when_a_commit_goes_unanswered(
    client: Client, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    entry = make_entry()
    for _ in range(3):
        check_cache(client)
    with commits_unanswered(monkeypatch, written=written), pytest.raises(OperationalError):
        buffer.flush()
    for _ in range(5):  # which come while the first ones are unsure
        check_cache(client)
    assert buffer.waiting == 8
    buffer.flush()
    entry.refresh_from_db()

    assert (RequestLog.objects.count(), entry.hit_count) == (8, 9)
    assert buffer.waiting == 0


@pytest.mark.parametrize("written", [True, False])
def test_a_paid_answer_is_written_once_when_its_commit_goes_unanswered(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    data = photo()
    prompts.current()
    with commits_unanswered(monkeypatch, written=written):
        reply = upload(client, data).json()
    make_entry("cd" * 32)  # which may take the id that was rolled back
    buffer.flush()
    again = upload(client, data).json()

    assert (reply["source"], again["source"]) == ("llm", "cache")
    assert CacheEntry.objects.filter(image_hash=sha256(data)).count() == 1
    assert ModelCall.objects.count() == RequestLog.objects.filter(source="llm").count() == 1
    assert len(model.requests) == 1


@pytest.mark.parametrize("written", [True, False])
def test_a_quota_whose_reservation_goes_unanswered_is_given_back(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    headers = bearer(make_app("camera", "--new-photos-per-day", "2", "--cost-per-day", "1"))
    upload(client, photo(seed=1), headers=headers)
    before = QuotaCounter.objects.values().get()
    with commits_unanswered(monkeypatch, written=written):
        failed = upload(client, photo(seed=2), headers=headers)
    buffer.flush()

    assert failed.json()["error_code"] == "database_unavailable"
    assert QuotaCounter.objects.values().get() == before
    assert upload(client, photo(seed=2), headers=headers).status_code == 200


def test_a_quota_is_given_back_at_once_if_the_database_fails_before_the_model_is_asked(
    client: Client, model: DashScopeServer
) -> None:
    headers = bearer(make_app("camera", "--new-photos-per-day", "1", "--cost-per-day", "1"))

    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if "spending_reservation" in sql:
            raise OperationalError(2013, "Lost connection during query")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        failed = upload(client, photo(), headers=headers)
    buffer.flush()
    counter = QuotaCounter.objects.get()

    assert failed.json()["error_code"] == "database_unavailable"
    assert (counter.new_photos, counter.reserved, counter.spent) == (0, 0, 0)
    assert upload(client, photo(), headers=headers).status_code == 200


def test_a_paid_answer_of_a_process_given_up_for_dead_is_written_once(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its call is counted by another process, and then its own commit goes unanswered."""
    monkeypatch.setattr(reservations, "ORPHAN_SECONDS", 0)
    with ExitStack() as outage:

        def ask_and_be_stopped(*args: Any) -> Any:
            reply = model_call.ask_model(*args)
            reservations.settle_orphans()
            outage.enter_context(commits_unanswered(monkeypatch, written=True))
            return reply

        monkeypatch.setattr("classification.pipeline.classify.ask_model", ask_and_be_stopped)
        upload(client, photo())
    for _ in range(3):
        assert is_known(client, photo())
    buffer.flush()

    assert buffer.waiting == buffer.dropped == 0
    assert CacheEntry.objects.get().hit_count == 1 + 3
    assert RequestLog.objects.count() == 1 + 3
    assert ModelCall.objects.get().billed == "perhaps"


@pytest.mark.mariadb
def test_an_older_installations_entry_that_is_served_again_meanwhile_wins(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hash is in upper case, which is the same to MariaDB."""
    make_entry(sha256(photo()).upper(), category="foods", ask_again=True)

    def ask_while_staff_unmark(*args: Any) -> Any:
        reply = model_call.ask_model(*args)
        CacheEntry.objects.update(ask_again=False)
        return reply

    monkeypatch.setattr("classification.pipeline.classify.ask_model", ask_while_staff_unmark)
    reply = upload(client, photo()).json()

    assert reply["data"]["category"] == CacheEntry.objects.get().category == "foods"
    assert ModelCall.objects.count() == RequestLog.objects.count() == 1


def test_a_row_that_cannot_even_be_sent_stops_no_other(client: Client) -> None:
    make_entry()
    check_cache(client)
    buffer.add([log_row(ClientInfo("\ud800"), Result.failed("invalid_image"))])
    check_cache(client)
    buffer.flush()

    assert (RequestLog.objects.count(), buffer.waiting, buffer.dropped) == (2, 0, 1)


def test_a_deadlock_loses_no_row(client: Client) -> None:
    entry = make_entry()
    check_cache(client)

    def deadlock(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE"):
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        return execute(sql, *rest)

    with connection.execute_wrapper(deadlock), pytest.raises(OperationalError):
        buffer.flush()
    buffer.flush()
    entry.refresh_from_db()

    assert (RequestLog.objects.count(), entry.hit_count) == (1, 2)


def test_a_row_that_the_table_refuses_takes_no_other_with_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer, "dropped", 0)
    entry = make_entry()
    for number in range(9):
        check_cache(client, user_id="refused" if number == 4 else "u")

    def refuse(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        if sql.startswith("INSERT") and "refused" in f"{sql}{params}":
            raise DataError(1406, "Data too long for column 'user_id'")
        return execute(sql, params, *rest)

    with connection.execute_wrapper(refuse):
        buffer.flush()
    entry.refresh_from_db()

    assert (RequestLog.objects.count(), entry.hit_count) == (8, 9)
    assert (buffer.waiting, buffer.dropped) == (0, 1)


def test_a_purge_in_the_middle_of_a_flight_loses_no_paid_answer(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = photo()
    make_entry(sha256(data), provider="local", prompt_version=None)
    rollback = BaseDatabaseWrapper._rollback  # type: ignore[attr-defined]

    def purge_after(self: BaseDatabaseWrapper) -> None:
        rollback(self)  # of the insertion, which the older entry was in the way of
        elsewhere(lambda: CacheEntry.objects.all().delete())

    monkeypatch.setattr(BaseDatabaseWrapper, "_rollback", purge_after)
    assert upload(client, data).json()["source"] == "llm"

    assert CacheEntry.objects.get().provider == "aliyun"
    assert ModelCall.objects.count() == 1


def test_a_correction_in_the_middle_of_a_flight_is_what_all_are_answered(
    client: Client, model: DashScopeServer
) -> None:
    data = photo()
    entry = make_entry(sha256(data), provider="local", prompt_version=None)

    model.delay = 1.0
    with ThreadPoolExecutor(1) as pool:
        uploading = pool.submit(elsewhere, lambda: upload(client, data).json())
        while not model.requests:
            time.sleep(0.01)
        entry.category, entry.corrected_at = "foods", timezone.now()
        entry.save()
        reply = uploading.result()

    assert (reply["data"]["category"], reply["source"]) == ("foods", "llm")
    assert upload(client, data).json()["data"]["category"] == "foods"
    assert (CacheEntry.objects.get().category, ModelCall.objects.count()) == ("foods", 1)


def test_what_was_read_before_a_correction_does_not_become_hot_after_it(client: Client) -> None:
    entry = make_entry()

    def correct_after_it_is_read(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if sql.startswith("SELECT image_hash"):
            entry.category = "foods"
            elsewhere(entry.save)
        return result

    with connection.execute_wrapper(correct_after_it_is_read):
        first = check_cache(client).json()

    assert first["data"]["category"] == "pets"
    assert check_cache(client).json()["data"]["category"] == "foods"


def test_what_is_read_before_a_correction_is_committed_does_not_become_hot(client: Client) -> None:
    prompts.current()
    entry = make_entry()
    with transaction.atomic():
        entry.category = "foods"
        entry.save()
        before = elsewhere(lambda: check_cache(client)).json()

    assert before["data"]["category"] == "pets"
    assert check_cache(client).json()["data"]["category"] == "foods"


def test_a_prompt_that_is_read_before_a_new_one_is_committed_is_not_kept(client: Client) -> None:
    make_entry()
    assert check_cache(client).json()["cached"]
    with transaction.atomic():
        PromptVersion.objects.create(version=2, text="x", accepted_from=2)
        before = elsewhere(lambda: check_cache(client)).json()

    assert before["cached"]
    assert not check_cache(client).json()["cached"]
