"""What a reader costs the database: the number of statements, and no full scan of the log."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from classification.models import CacheEntry, ModelCall, RequestLog
from clients.models import App
from stats import demo
from stats.rollup import chunks
from tests.support.history import A_WHILE, NOW, log

pytestmark = pytest.mark.django_db

# Two for the session and its user, one before and one after for the state of the roll-ups.
STATEMENTS = {
    "/api/v1/stats/today": 4 + 7,
    "/api/v1/stats/cache-efficiency": 4 + 4,
    "/api/v1/stats/category-distribution": 4 + 2,
    "/api/v1/stats/users/top": 4 + 2,
    "/api/v1/stats/trend?days=90": 4 + 7,
    "/api/v1/stats/errors": 4 + 2,
    "/api/v1/stats/range?last=today": 4 + 10,
    "/": 4 + 35,
    "/?app=camera": 4 + 25,
}
LARGE = {RequestLog._meta.db_table, ModelCall._meta.db_table}


@pytest.fixture
def staff(client: Client) -> Iterator[Client]:
    """A member of staff, with a history that is added up but for its last rows."""
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in demo.seed(demo.Size(days=3, requests=3000)):
            pass
        for _ in range(2):
            clock.shift(A_WHILE)
            list(chunks.roll_up())
        camera = App.objects.create(name="camera")
        for number in range(30):
            log(user_id=f"u{number}", app=camera)
        list(chunks.roll_up())
        client.force_login(User.objects.create_user("staff", is_staff=True))
        client.get("/")
        yield client


@pytest.mark.parametrize(("address", "statements"), STATEMENTS.items())
def test_the_number_of_statements(
    staff: Client,
    address: str,
    statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(statements):
        assert staff.get(address).status_code == 200


@pytest.mark.mariadb
@pytest.mark.parametrize("address", STATEMENTS)
def test_no_statement_scans_the_log(staff: Client, address: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert staff.get(address).status_code == 200
    read = [
        table
        for query in captured.captured_queries
        if query["sql"].startswith("SELECT")
        for table in tables_of(query["sql"])
        if table["table_name"] in LARGE
    ]

    assert read
    rows = RequestLog.objects.count()
    for table in read:
        assert table["access_type"] in ("range", "ref", "const"), table
        assert table["rows"] < rows / 10, table
    assert CacheEntry.objects.count() > 100


def tables_of(sql: str) -> Iterator[dict[str, Any]]:
    """What EXPLAIN says of each table of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN FORMAT=JSON {sql}")
        yield from _tables(json.loads(cursor.fetchone()[0]))


def _tables(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, dict):
        if "table_name" in plan:
            yield plan
        for part in plan.values():
            yield from _tables(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from _tables(part)
