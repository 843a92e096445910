"""Transactions that are in each other's way: the one that the database rolls back begins anew."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from pytest_django import Settings

from classification import prompts
from classification.models import CacheEntry, Lease, ModelCall, RequestLog, SpendingDay
from classification.pipeline import leases
from tests.support.api import upload
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]

# The database rolls back the one of two that has changed fewer rows.
HEAVY_ROWS = 200
# Of this database alone: other runs of the tests may wait for locks on the same server.
WAITING = """
    SELECT COUNT(*) FROM information_schema.innodb_trx
    JOIN information_schema.processlist ON processlist.id = trx_mysql_thread_id
    WHERE trx_state = 'LOCK WAIT' AND processlist.db = DATABASE()
"""


@contextmanager
def opponent(first: str, then: str) -> Iterator[threading.Thread]:
    """Another session that holds the lock of `first`, waits until somebody waits for it, and then
    wants the lock of `then`. It has done more work, so the other one is rolled back."""
    holds = threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with connection.cursor() as cursor, ended(cursor):
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("BEGIN")
                rows = [(f"{number:032x}",) for number in range(HEAVY_ROWS)]
                cursor.executemany(
                    "INSERT INTO written_batch (id, created_at) VALUES (%s, NOW())", rows
                )
                cursor.execute(first)
                holds.set()
                wait_until(_somebody_waits)
                cursor.execute(then)
        except BaseException as error:
            failed.append(error)
            holds.set()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert holds.wait(60)
    yield thread
    thread.join(60)
    assert not failed, failed


@contextmanager
def ended(cursor: Any) -> Iterator[None]:
    """End a transaction that Django does not know of: its connection goes back to the pool."""
    try:
        yield
    finally:
        cursor.execute("ROLLBACK")


def _somebody_waits() -> bool:
    time.sleep(0.2)  # the table stays as it is for those who read it ten times a second
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone()[0])


@pytest.fixture
def victims() -> Callable[[], int]:
    """How many transactions the database has rolled back since for a deadlock."""

    def deadlocks() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
            return int(cursor.fetchone()[1])

    before = deadlocks()
    return lambda: deadlocks() - before


def test_money_is_reserved_in_spite_of_a_deadlock(
    client: Client, model: DashScopeServer, settings: Settings, victims: Callable[[], int]
) -> None:
    settings.DAILY_COST_LIMIT = 1
    upload(client, photo(seed=1))
    with opponent(
        # The gap that a new reservation goes into.
        first="SELECT * FROM spending_reservation FOR UPDATE",
        then="UPDATE spending_day SET spent = spent",
    ):
        reply = upload(client, photo(seed=2))

    day = SpendingDay.objects.get()
    assert victims() >= 1
    assert reply.json()["source"] == "llm"
    assert ModelCall.objects.count() == len(model.requests) == 2
    assert (day.spent, day.reserved) == (2 * int(ModelCall.objects.all()[0].cost * 1_000_000), 0)


def test_a_statement_by_itself_is_repeated_after_a_deadlock(victims: Callable[[], int]) -> None:
    tokens = ("first", "second")
    for token in tokens:
        Lease.objects.create(image_hash=token * 8, token=token)
        leases.release(token)
    with opponent(
        first="UPDATE flight SET renewals = 7 WHERE token = 'second'",
        then="UPDATE flight SET renewals = 7 WHERE token = 'first'",
    ):
        leases.prune()

    assert victims() >= 1
    assert set(Lease.objects.values_list("ending", flat=True)) == {"ok"}


def test_a_deadlock_of_writing_an_answer_costs_no_second_call(
    client: Client, model: DashScopeServer, victims: Callable[[], int]
) -> None:
    data = photo()
    prompts.current()
    with opponent(
        # The gaps that the ledger's row and the log's go into.
        first="SELECT * FROM request_log FOR UPDATE",
        then="SELECT * FROM model_call FOR UPDATE",
    ):
        reply = upload(client, data)

    assert victims() >= 1
    assert reply.json()["source"] == "llm"
    assert ModelCall.objects.count() == RequestLog.objects.count() == len(model.requests) == 1
    assert CacheEntry.objects.get().image_hash == reply.json()["image_hash"]
