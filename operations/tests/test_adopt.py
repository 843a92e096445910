"""An older installation's database, taken over with every row, time and count."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.support.dashscope_server import DashScopeServer
from tests.support.older_service import (
    ANSWERS,
    CACHE,
    COLUMNS,
    LOG,
    SCHEMAS,
    WRONG,
    OldEntry,
    install,
)
from tests.support.servers import (
    ScratchDatabase,
    manage,
    migrate,
    running_server,
    unmigrated_database,
)

pytestmark = [pytest.mark.mariadb, pytest.mark.timeout(180), pytest.mark.xdist_group("processes")]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ScratchDatabase]:
    with unmigrated_database(tmp_path) as database:
        yield database


def adopt(database: ScratchDatabase, *arguments: str, answer: str = "") -> tuple[int, str]:
    """The exit status of the command, and what it said."""
    result = subprocess.run(
        [sys.executable, "manage.py", "adopt", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database.url, "SECRET_KEY": "x" * 50},
        input=answer,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def rows(database: ScratchDatabase, table: str) -> list[tuple[Any, ...]]:
    """The older columns of every row; numbers of any type as decimals."""
    found = database.query(f"SELECT {COLUMNS[table]} FROM {table} ORDER BY id")
    return [tuple(map(_plain, row)) for row in found]


def _plain(value: Any) -> Any:
    return Decimal(str(value)).normalize() if isinstance(value, float | Decimal) else value


def schema(database: ScratchDatabase, table: str) -> str:
    return str(database.query(f"SHOW CREATE TABLE {table}")[0][1])


def expected(before: list[tuple[Any, ...]], variant: str) -> list[tuple[Any, ...]]:
    """Rows as they must be afterwards: what is no JSON becomes a JSON string of it; where
    case matters to the table, hashes are in lower case."""

    def change(row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        if variant == "strict":
            values[6] = '"好的，这是一只猫"' if values[6] == "好的，这是一只猫" else values[6]
        if variant == "binary":
            values[1] = values[1].lower()
        return tuple(values)

    return [change(row) for row in before]


@pytest.mark.parametrize("variant", SCHEMAS)
def test_every_row_is_kept_and_every_old_answer_served(
    database: ScratchDatabase, variant: str
) -> None:
    install(database, variant)
    entries, requests = rows(database, CACHE), rows(database, LOG)
    migrate(database)

    assert rows(database, CACHE) == expected(entries, variant)
    assert rows(database, LOG) == requests
    with DashScopeServer() as model, running_server(database, model, WEB_WORKERS="1") as server:
        found = [server.check(entry.image_hash).json() for entry in ANSWERS]
        wrong = [server.check(entry.image_hash).json() for entry in WRONG]
        server.check(ANSWERS[2].image_hash.lower())
        refused = server.upload(b"no photo")
    assert [body["data"] for body in found] == [_answer(entry) for entry in ANSWERS]
    assert not any(body.get("cached") for body in wrong)
    assert refused.status_code == 400
    assert not model.requests
    # Both hits on the entry in upper case were counted, and logged beside the old rows.
    counts = {row[1].lower(): row[7] for row in rows(database, CACHE)}
    assert counts[ANSWERS[2].image_hash.lower()] == ANSWERS[2].hit_count + 2
    assert len(rows(database, LOG)) == len(requests) + len(ANSWERS) + 2


def _answer(entry: OldEntry) -> dict[str, Any]:
    description = None if entry.category == "idcard" else entry.description
    return {
        "category": entry.category,
        "confidence": float(entry.confidence),
        "description": description,
    }


def test_a_second_time_changes_nothing_and_a_step_back_is_possible(
    database: ScratchDatabase,
) -> None:
    install(database, "plain")
    migrate(database)
    first = [(_shape(schema(database, t)), rows(database, t)) for t in (CACHE, LOG)]
    status, _ = adopt(database)

    assert status == 0
    assert [(_shape(schema(database, t)), rows(database, t)) for t in (CACHE, LOG)] == first
    # Of 48 requests, an entry each sixth: two kinds of them are failures kept as answers.
    kinds = database.query(
        f"SELECT outcome, source, from_cache, COUNT(*), SUM(cost), SUM(saved) FROM {LOG} "
        "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    assert [(*row[:4], str(row[4]), str(row[5])) for row in kinds] == [
        ("model_bad_reply", "none", 1, 8, "0.000000", "0.000000"),
        ("model_unavailable", "none", 0, 4, "0.000000", "0.000000"),
        ("model_unavailable", "none", 1, 4, "0.000000", "0.000000"),
        ("ok", "cache", 1, 24, "0.000000", "0.240000"),
        ("ok", "llm", 0, 8, "0.080000", "0.000000"),
    ]
    # The older service can still write its rows.
    older = "image_hash, category, confidence, model_used"
    database.query(f"INSERT INTO {CACHE} ({older}) VALUES ('{'a' * 64}', 'pets', 0.9, 'm')")
    older = "request_id, image_hash, category, confidence, from_cache"
    database.query(f"INSERT INTO {LOG} ({older}) VALUES ('r', '{'a' * 64}', 'pets', 0.9, 1)")


def test_a_migrate_that_was_killed_goes_on(database: ScratchDatabase, tmp_path: Path) -> None:
    install(database, "strict")
    with unmigrated_database(tmp_path) as other:
        install(other, "strict")
        migrate(other)
        result = subprocess.run(
            [sys.executable, "-m", "tests.support.interrupted_migrate", "11"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": database.url, "SECRET_KEY": "x" * 50},
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        tables = [name for (name,) in other.query("SHOW TABLES")]

        assert result.returncode == 0, result.stderr
        assert int(result.stdout) > 5
        assert [name for (name,) in database.query("SHOW TABLES")] == tables
        for table in tables:
            assert _shape(schema(database, table)) == _shape(schema(other, table))
        for table in (CACHE, LOG):
            assert database.query(f"SELECT * FROM {table}") == other.query(f"SELECT * FROM {table}")


def _shape(create_table: str) -> list[str]:
    """A table's lines in no order, without where its ids have come to."""
    lines = [line.strip().rstrip(",") for line in create_table.splitlines()]
    return sorted(line.partition(" AUTO_INCREMENT=")[0] for line in lines)


def test_check_only_reads_and_tells_all(database: ScratchDatabase) -> None:
    install(database, "plain")
    before = [schema(database, table) for table in (CACHE, LOG)], rows(database, CACHE)
    status, said = adopt(database, "--check")

    assert status == 1
    assert ([schema(database, table) for table in (CACHE, LOG)], rows(database, CACHE)) == before
    assert (
        database.value(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"
        )
        == 3
    )
    for line in (
        "image_classification_cache: 15 rows",
        "15 entries were made by the older service",
        "do not exist here: /auth/login, /config/inference",
        "Its apps give up after 30 s, and LLM_TIMEOUT is 30: set it to 25.",
        "request_log: 48 rows",
        "several rows may belong to one request",
        "Not ours, left untouched: system_config",
        "1, category is not one of the eight",
        "2, confidence is not from 0 to 1",
        "1, hash is not 64 hexadecimal digits",
        "3, a failed call stored as an answer",
        "1, hit count below 1",
        "1, created or last hit in the future",
        "8, category is not one of the eight: counted as failed",
    ):
        assert line in said


def test_what_could_never_have_been_right_is_dropped_by_choice(database: ScratchDatabase) -> None:
    install(database, "binary")
    twin = f"UPDATE {CACHE} SET image_hash = '%s' WHERE image_hash = '%s'"
    database.query(twin % (ANSWERS[2].image_hash.lower(), ANSWERS[0].image_hash))
    kept, said_kept = adopt(database)
    count = database.value(f"SELECT COUNT(*) FROM {CACHE}")
    refused, _ = adopt(database, "--drop-impossible", answer="n\n")
    after_refusal = database.value(f"SELECT COUNT(*) FROM {CACHE}")
    dropped, said_dropped = adopt(database, "--drop-impossible", answer="y\n")
    left = {row[1]: row for row in rows(database, CACHE)}
    clean, _ = adopt(database, "--check")

    assert (kept, refused, dropped, clean) == (0, 1, 0, 0)
    assert count == after_refusal == len(ANSWERS) + len(WRONG)
    assert "--drop-impossible removes them" in said_kept
    assert "hash exists twice, in upper and lower case: 1 entries dropped" in said_dropped
    assert set(left) == {entry.image_hash.lower() for entry in ANSWERS[1:]}
    assert left[ANSWERS[6].image_hash][7] == 1
    assert left[ANSWERS[7].image_hash][8] <= datetime.now()
    assert rows(database, LOG)


LOOK_AT_EVERYTHING = """
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from classification.models import CacheEntry, RequestLog
from stats.rollup import chunks
chunks.SETTLING_SECONDS = 0
call_command("roll_up_stats", verbosity=0)
call_command("roll_up_stats", verbosity=0)
client = Client(raise_request_exception=False, headers={"host": "localhost"})
client.force_login(User.objects.create(username="lin", is_staff=True, is_superuser=True))
pages = ["/", "/status/", "/bill/", "/admin/classification/cacheentry/"]
pages += ["/admin/classification/requestlog/", "/api/v1/stats/range?last=30d"]
for name, model in (("cacheentry", CacheEntry), ("requestlog", RequestLog)):
    keys = model.objects.values_list("pk", flat=True)
    pages += [f"/admin/classification/{name}/{key}/change/" for key in keys]
print([(page, status) for page in pages if (status := client.get(page).status_code) >= 400])
call_command("purge_request_log", "--older-than=30d")
print(RequestLog.objects.filter(created_date__lt="2026-04-01").count())
"""


def test_rows_in_which_much_is_missing_break_nothing(database: ScratchDatabase) -> None:
    """As tables take them whose columns may all be NULL, and a clock that was set back."""
    install(database, "binary")
    database.query(f"ALTER TABLE {CACHE} MODIFY image_hash VARCHAR(64)")
    odd = "a" * 64
    database.query(
        f"INSERT INTO {CACHE} (image_hash, category) VALUES "
        f"('{odd}', 'pets'), (NULL, 'pets'), (NULL, NULL), ('{'b' * 64}', NULL)"
    )
    database.query(
        f"INSERT INTO {LOG} (created_at, request_id, category, confidence, processing_time_ms) "
        "VALUES ('2026-03-01 10:00', NULL, NULL, NULL, NULL), "
        "('2026-03-01 10:00', NULL, 'screenshot', NULL, -3)"
    )
    said = adopt(database, "--check")[1]
    migrate(database)
    # The older service goes on for a while.
    database.query(f"INSERT INTO {CACHE} (image_hash, category) VALUES ('{'c' * 64}', 'pets')")
    with DashScopeServer() as model, running_server(database, model, WEB_WORKERS="1") as server:
        hashes = [odd, "b" * 64, "c" * 64, ANSWERS[0].image_hash]
        found = [server.check(image_hash).json() for image_hash in hashes]
    seen = manage(database, "shell", "--no-imports", "-c", LOOK_AT_EVERYTHING)

    assert [body.get("cached") for body in found] == [False, False, False, True]
    assert "Impossible entries: 3, hash is not 64 hexadecimal digits" in said
    assert "[]" in seen.splitlines(), seen
    assert seen.splitlines()[-1] == "0"


def test_tables_that_do_not_fit_are_left_as_they_are(database: ScratchDatabase) -> None:
    install(database, "plain")
    for change in (
        f"ALTER TABLE {CACHE} MODIFY confidence FLOAT, DROP COLUMN model_used",
        f"ALTER TABLE {CACHE} DROP INDEX image_hash, MODIFY last_hit_at VARCHAR(30)",
        f"UPDATE {CACHE} SET confidence = 95 WHERE id = 1",
        f"UPDATE {CACHE} SET image_hash = 'x'",
        f"ALTER TABLE {LOG} MODIFY id INT, DROP PRIMARY KEY",
        f"UPDATE {LOG} SET created_at = NULL WHERE id < 4",
    ):
        database.query(change)
    before = [schema(database, table) for table in (CACHE, LOG)]
    status, said = adopt(database)

    assert status == 2
    for misfit in (
        "has no column model_used",
        "last_hit_at is varchar(30), which cannot become datetime(6)",
        "confidence: 1 values do not fit decimal(5,4)",
        "image_hash is not unique: 14 rows",
        "its primary key is not id",
        "3 rows have no time",
    ):
        assert misfit in said
    assert [schema(database, table) for table in (CACHE, LOG)] == before


def test_a_table_that_is_not_ours_is_not_taken_for_one(database: ScratchDatabase) -> None:
    database.query("CREATE TABLE flight (id INT PRIMARY KEY, departs_at DATETIME)")
    with pytest.raises(subprocess.CalledProcessError):
        migrate(database)

    assert [row[0] for row in database.query("DESCRIBE flight")] == ["id", "departs_at"]
