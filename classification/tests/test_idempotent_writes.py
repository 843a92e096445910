"""Rows that may be written twice: by a commit that is slow, or by a process given up for dead."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from pytest_django import Settings

from classification import prompts
from classification.billing import reservations
from classification.models import CacheEntry, ModelCall, RequestLog, Reservation, SpendingDay
from classification.pipeline import model_call
from classification.pipeline.write_behind import buffer
from tests.support.api import check_cache, make_entry, upload
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import RunningServer, ScratchDatabase, running_server
from tests.support.waiting import wait_until

COMMIT_SECONDS = 1.5


@contextmanager
def slow_commits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[threading.Timer]]:
    """Each commit is done after COMMIT_SECONDS, when its client has given the connection up."""
    timers: list[threading.Timer] = []

    def commit_later(self: BaseDatabaseWrapper) -> None:
        given_up: Any = self.connection
        self.connection = None
        timers.append(threading.Timer(COMMIT_SECONDS, given_up.commit))
        timers[-1].start()
        raise OperationalError(2013, "Lost connection during query")

    with monkeypatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "_commit", commit_later)
        yield timers


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_hits_are_counted_once_while_their_first_commit_is_still_under_way(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = make_entry()
    for _ in range(3):
        check_cache(client)
    with slow_commits(monkeypatch) as commits, pytest.raises(OperationalError):
        buffer.flush()
    buffer.flush()
    for commit in commits:
        commit.join()
    entry.refresh_from_db()

    assert (RequestLog.objects.count(), entry.hit_count) == (3, 4)


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_a_paid_answer_is_written_once_while_its_first_commit_is_still_under_way(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts.current()
    with slow_commits(monkeypatch) as commits:
        reply = upload(client, photo())
    buffer.flush()
    for commit in commits:
        commit.join()

    assert reply.json()["source"] == "llm"
    assert (
        ModelCall.objects.count() == RequestLog.objects.count() == CacheEntry.objects.count() == 1
    )
    assert not Reservation.objects.exists()


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_what_was_reserved_by_a_lost_commit_is_given_back(
    client: Client, model: DashScopeServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent: the photo must not be counted as possibly billed later."""
    settings.DAILY_COST_LIMIT = 1
    upload(client, photo(seed=1))
    with slow_commits(monkeypatch) as commits:
        reply = upload(client, photo(seed=2))
    for commit in commits:
        commit.join()
    held = SpendingDay.objects.get().reserved
    buffer.flush()

    assert reply.json()["error_code"] == "database_unavailable"
    assert held > 0
    assert SpendingDay.objects.get().reserved == 0
    assert not Reservation.objects.exists()
    assert ModelCall.objects.count() == len(model.requests) == 1


@pytest.mark.django_db(transaction=True)
def test_a_process_that_was_given_up_for_dead_adds_no_second_call(
    client: Client, model: DashScopeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped for minutes after the model answered, it comes back and writes."""
    monkeypatch.setattr(reservations, "ORPHAN_SECONDS", 0)

    def ask_and_be_stopped(*args: Any) -> Any:
        reply = model_call.ask_model(*args)
        reservations.settle_orphans()
        return reply

    with monkeypatch.context() as patch:
        patch.setattr("classification.pipeline.classify.ask_model", ask_and_be_stopped)
        reply = upload(client, photo()).json()
    buffer.flush()

    call = ModelCall.objects.get()
    assert (call.billed, call.outcome) == ("perhaps", "internal_error")
    assert reply["source"] == "llm"
    assert CacheEntry.objects.count() == RequestLog.objects.count() == 1
    assert not Reservation.objects.exists()


@pytest.mark.timeout(180)
def test_a_call_under_way_at_a_kill_is_in_the_books_without_a_limit(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    dashscope.script("hang")
    with running_server(database, dashscope, WEB_WORKERS="1") as server:
        sender = threading.Thread(target=lambda: _lost(server, photo()))
        sender.start()
        wait_until(lambda: len(dashscope.requests) == 1)
        server.kill()
        sender.join()

    assert database.query("SELECT COUNT(*), MAX(amount) FROM spending_reservation") == [(1, 0)]


def upload_as(user_id: str, data: bytes, server: RunningServer) -> Any:
    files = {"image": ("p.jpg", data, "image/jpeg")}
    reply = requests.post(
        f"{server.base_url}/classify", files=files, data={"user_id": user_id}, timeout=60
    )
    return reply.json()


def _lost(server: Any, data: bytes) -> None:
    with pytest.raises(requests.ConnectionError):
        server.upload(data)


@pytest.mark.mariadb
@pytest.mark.timeout(180)
def test_a_row_that_the_table_refuses_stops_no_other(
    database: ScratchDatabase, dashscope: DashScopeServer
) -> None:
    """MariaDB's driver raises it as OperationalError, as it does when the database is down."""
    emoji = "\N{GRINNING FACE}"
    database.query("ALTER TABLE request_log MODIFY user_id VARCHAR(64) CHARACTER SET utf8mb3")
    with running_server(database, dashscope, WEB_WORKERS="1") as server:
        first = upload_as(emoji, photo(seed=1), server)
        second = upload_as("plain", photo(seed=2), server)
        upload_as(emoji, b"no photo", server)
        upload_as("plain", b"no photo either", server)
        wait_until(lambda: database.value("SELECT COUNT(*) FROM request_log") == 2)
        health = server.health()
    paid = database.value("SELECT COUNT(*) FROM model_call WHERE billed = 'yes'")

    assert (first["success"], second["success"], paid) == (True, True, 2)
    assert (health["log_rows_waiting"], health["log_rows_dropped"]) == (0, 2)
