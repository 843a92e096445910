"""The file of an SQLite database."""

import os
import shutil
from pathlib import Path

import pytest
from django.db.utils import ConnectionHandler, OperationalError

from core.configuration.databases import database

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "db.sqlite3"


def modes_in_use(file: Path) -> set[int]:
    """The permissions of the database and of all that SQLite adds while it is in use."""
    settings = database(f"sqlite:///{file}", "Asia/Shanghai", read_timeout=None)
    connection = ConnectionHandler({"default": settings})["default"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS person (name TEXT)")
        modes = {path.stat().st_mode & 0o777 for path in file.parent.iterdir()}
    connection.close()
    return modes


def test_other_users_cannot_read_a_new_database(file: Path) -> None:
    umask = os.umask(0o022)
    try:
        assert modes_in_use(file) == {0o600}
    finally:
        os.umask(umask)


def test_whom_an_operator_lets_read_one_goes_on_reading(file: Path) -> None:
    modes_in_use(file)
    file.chmod(0o640)

    assert modes_in_use(file) == {0o640}


def test_a_folder_that_is_gone_is_an_error_of_the_database(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    settings = database(f"sqlite:///{folder}/db.sqlite3", "Asia/Shanghai", read_timeout=None)
    shutil.rmtree(folder, ignore_errors=True)

    with pytest.raises(OperationalError):
        ConnectionHandler({"default": settings})["default"].ensure_connection()
