"""An installation of the first release is updated, and can go back to it for a while."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.support import first_release
from tests.support.dashscope_server import DashScopeServer
from tests.support.servers import (
    ScratchDatabase,
    manage,
    migrate,
    running_server,
    unmigrated_database,
)

pytestmark = pytest.mark.timeout(300)

ROWS = "SELECT request_id, user_id, outcome, source FROM request_log ORDER BY id"
MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY id"
# What Django adds rows to by itself, for the new release's tables.
DJANGOS = {"django_migrations", "django_content_type", "auth_permission", "sqlite_sequence"}


def test_the_first_release_is_updated_with_nothing_lost(tmp_path: Path) -> None:
    with unmigrated_database(tmp_path) as database:
        first_release.install(database)
        before = database.query(ROWS)
        migrate(database)
        # The old release still runs for a while, or again.
        first_release.write(database, "b" * 64, "third")
        with (
            DashScopeServer() as dashscope,
            running_server(database, dashscope, WEB_WORKERS="1") as server,
        ):
            answers = [server.check(known * 64).json() for known in "ab"]

        assert database.query(ROWS)[:3] == [*before, ("third", "u1", "ok", "llm")]
    assert [answer["data"]["category"] for answer in answers] == ["pets", "pets"]


def test_the_tables_can_go_back_to_the_first_release_and_forward_again(tmp_path: Path) -> None:
    with unmigrated_database(tmp_path) as database:
        first_release.install(database)
        applied = database.query(MIGRATIONS)
        columns = columns_by_table(database)
        before = rows_by_table(database, columns)
        migrate(database)
        step_back(database, applied)

        assert database.query(MIGRATIONS) == applied
        assert columns_by_table(database) == columns
        after = rows_by_table(database, columns)
        assert {table for table in before if not set(before[table]) <= set(after[table])} == set()
        first_release.write(database, "b" * 64, "third")
        written = rows_by_table(database, columns)
        migrate(database)
        assert rows_by_table(database, columns) == written


@pytest.mark.mariadb
def test_a_step_back_that_was_killed_goes_on(tmp_path: Path) -> None:
    with unmigrated_database(tmp_path) as database:
        migrate(database)
        # It is dropped after its constraints, and only then is the step recorded.
        database.query("DROP TABLE client_quota_counter")
        manage(database, "migrate", "clients", "zero", "--verbosity=0")
        migrate(database)

        assert database.value("SELECT COUNT(*) FROM client_quota_counter") == 0


def step_back(database: ScratchDatabase, applied: list[tuple[Any, ...]]) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.support.step_back"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database.url, "SECRET_KEY": "x" * 50},
        input=json.dumps(applied),
        text=True,
        check=True,
        timeout=120,
    )


def columns_by_table(database: ScratchDatabase) -> dict[str, list[str]]:
    if database.url.startswith("sqlite"):
        pairs = database.query(
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c "
            "WHERE m.type = 'table'"
        )
    else:
        pairs = database.query(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE()"
        )
    tables: dict[str, list[str]] = {}
    for table, column in sorted(pairs):
        tables.setdefault(table, []).append(column)
    return {table: names for table, names in tables.items() if table not in DJANGOS}


def rows_by_table(
    database: ScratchDatabase, columns: dict[str, list[str]]
) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted(database.query(f"SELECT `{'`, `'.join(names)}` FROM `{table}`"), key=repr)
        for table, names in columns.items()
    }
