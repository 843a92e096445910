"""Tables take every character, whatever the default of the database is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import settings

from tests.support import older_service
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import (
    RunningServer,
    ScratchDatabase,
    manage,
    migrate,
    running_server,
    unmigrated_database,
)

pytestmark = [pytest.mark.mariadb, pytest.mark.timeout(240), pytest.mark.xdist_group("processes")]

NARROW = {"utf8mb3": "utf8mb3_unicode_ci", "latin1": "latin1_swedish_ci"}
NARROW_COLUMNS = (
    "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() "
    "AND character_set_name <> 'utf8mb4' AND column_name <> 'image_hash'"
)
COLLATIONS = (
    "SELECT DISTINCT collation_name FROM information_schema.columns WHERE "
    "table_schema = DATABASE() AND collation_name NOT LIKE '%bin'"
)


@pytest.fixture(params=NARROW)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ScratchDatabase]:
    """An empty database whose new tables would be narrow."""
    with unmigrated_database(tmp_path) as database:
        name = database.url.rpartition("/")[2]
        charset, collation = request.param, NARROW[request.param]
        database.query(f"ALTER DATABASE {name} CHARACTER SET {charset} COLLATE {collation}")
        yield database


def doctor(database: ScratchDatabase) -> str:
    result = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database.url, "SECRET_KEY": "x" * 50},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return result.stdout


def upload(server: RunningServer, user_id: str) -> requests.Response:
    """An upload of a photo of the user's own."""
    files = {"image": ("p.jpg", photo(seed=ord(user_id)), "image/jpeg")}
    address = f"{server.base_url}/classify"
    return requests.post(address, files=files, data={"user_id": user_id}, timeout=60)


def test_an_emoji_is_written_on_a_narrow_database(database: ScratchDatabase) -> None:
    migrate(database)
    manage(database, "create_first_staff")
    with DashScopeServer() as model, running_server(database, model) as server:
        model.description = "橘猫 🐱"
        reply = upload(server, user_id="🐱")
        assert reply.json()["data"]["description"] == "橘猫 🐱", reply.text

    assert database.value(NARROW_COLUMNS) == 0
    assert len(database.query(COLLATIONS)) == 1
    assert database.value("SELECT description FROM image_classification_cache") == "橘猫 🐱"
    assert database.value("SELECT COUNT(*) FROM request_log WHERE outcome = 'ok'") == 1


def test_narrow_tables_are_found_and_converted(database: ScratchDatabase) -> None:
    migrate(database)
    tables = [name for (name,) in database.query("SHOW TABLES")]
    collation = database.value("SELECT @@collation_database")
    for table in tables:
        database.query("SET FOREIGN_KEY_CHECKS = 0")
        charset = collation.partition("_")[0]
        database.query(f"ALTER TABLE {table} CONVERT TO CHARACTER SET {charset}")
    database.query("INSERT INTO auth_group (name) VALUES ('staff')")
    found = doctor(database)
    manage(database, "migrate", "--plan")
    manage(database, "migrate", "--check")
    assert database.value(NARROW_COLUMNS) > 0
    migrate(database)

    assert "PROBLEM  characters:" in found
    assert "request_log" in found
    assert "Run manage.py migrate" in found
    assert database.value(NARROW_COLUMNS) == 0
    assert len(database.query(COLLATIONS)) == 1
    assert ("staff",) in database.query("SELECT name FROM auth_group")
    assert "characters:" not in doctor(database)


def test_an_older_installations_narrow_tables_are_converted(
    database: ScratchDatabase,
) -> None:
    charset = database.value("SELECT @@character_set_database")
    plain = older_service.PLAIN.replace(
        "CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci", f"CHARSET={charset}"
    )
    plain = plain.partition("CREATE TABLE system_config")[0].strip().removesuffix(";")
    for statement in plain.split(";\n"):
        database.query(statement)
    database.query(
        "INSERT INTO image_classification_cache (image_hash, category, confidence, description, "
        f"model_used) VALUES ('{'a' * 64}', 'pets', 0.9, 'un café', 'm')"
    )
    manage(database, "adopt")

    assert database.value(NARROW_COLUMNS) == 0
    assert database.value("SELECT description FROM image_classification_cache") == "un café"
    assert "characters:" not in doctor(database)


def test_an_older_tables_other_columns_and_the_case_of_its_hashes_are_kept(
    database: ScratchDatabase,
) -> None:
    charset = database.value("SELECT @@character_set_database")
    case_matters = f"CHARSET={charset} COLLATE={charset}_bin"
    tables = older_service.PLAIN.replace(
        "CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci", case_matters
    ).replace("hit_count INT", "source VARCHAR(20) DEFAULT 'café', hit_count INT")
    cache, log, *_ = tables.split(";\n")
    hashes = ["a" * 64, "A" * 64]
    columns = "image_hash, category, confidence, model_used"
    rows = ", ".join(f"('{image_hash}', 'pets', 0.9, 'm')" for image_hash in hashes)
    database.run([cache, log, f"INSERT INTO image_classification_cache ({columns}) VALUES {rows}"])
    manage(database, "adopt")
    migrate(database)

    kept = database.query("SELECT image_hash, source FROM image_classification_cache ORDER BY id")
    assert kept == [(image_hash, "café") for image_hash in hashes]
    assert "characters:" not in doctor(database)


def test_a_row_that_is_refused_for_good_holds_up_no_other(tmp_path: Path) -> None:
    """A column that somebody made narrow: one emoji, and then everybody's rows."""
    with unmigrated_database(tmp_path) as database:
        migrate(database)
        database.query("ALTER TABLE request_log MODIFY user_id VARCHAR(64) CHARACTER SET latin1")
        with DashScopeServer() as model, running_server(database, model) as server:
            for user_id in ("a", "🐱", "b"):
                upload(server, user_id)
            health = server.health()

        assert health["database"] == "connected"
        users = database.query("SELECT user_id FROM request_log ORDER BY user_id")
        assert users == [("a",), ("b",)]
        assert database.value("SELECT COUNT(*) FROM model_call") == 3
