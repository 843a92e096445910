"""Real server processes on their own databases, for behaviour that only several processes show."""

import contextlib
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
from django.conf import settings
from django.db import connection

from tests.support.dashscope_server import DashScopeServer
from tests.support.ports import free_port

START_SECONDS = 120


class ScratchDatabase:
    """A database of the kind under test; `url` is what DATABASE_URL takes."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def path(self) -> str:
        """The file, or the name on the server."""
        return urlsplit(self.url).path.removeprefix("/")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement, asked on a connection of its own."""
        return self.run([sql])

    def run(self, statements: Sequence[str]) -> list[tuple[Any, ...]]:
        """Execute all on one connection, each committed by itself; the rows of the last one."""
        with contextlib.closing(self._connect()) as connection:
            cursor = connection.cursor()
            for sql in statements:
                cursor.execute(sql)
            return list(cursor.fetchall())

    def value(self, sql: str) -> Any:
        return self.query(sql)[0][0]

    def _connect(self) -> Any:
        if self.url.startswith("sqlite"):
            return sqlite3.connect(
                self.url.removeprefix("sqlite:///"), timeout=20, isolation_level=None
            )
        import MySQLdb

        from core.configuration.databases import database

        config = database(self.url, "UTC", read_timeout=None)
        return MySQLdb.connect(
            host=config["HOST"],
            port=int(config["PORT"]),
            user=config["USER"],
            password=config["PASSWORD"],
            database=config["NAME"],
            charset="utf8mb4",
            autocommit=True,
        )


@contextmanager
def unmigrated_database(folder: Path) -> Iterator[ScratchDatabase]:
    """A database without tables, of the vendor that the tests run on."""
    if connection.vendor == "sqlite":
        yield ScratchDatabase(f"sqlite:///{folder / 'scratch.sqlite3'}")
        return
    name = f"test_{secrets.token_hex(6)}"
    admin = _on_own_server("information_schema")
    admin.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        yield _on_own_server(name)
    finally:
        admin.query(f"DROP DATABASE {name}")


def _on_own_server(name: str) -> ScratchDatabase:
    own = settings.DATABASES["default"]
    server = f"mysql://{own['USER']}:{own['PASSWORD']}@{own['HOST']}:{own['PORT'] or 3306}"
    return ScratchDatabase(f"{server}/{name}")


def copy_own_database(target: ScratchDatabase) -> None:
    """Give an empty database what the tests' own has: tables, and rows that are committed."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with contextlib.closing(sqlite3.connect(target.path)) as copy:
            connection.connection.backup(copy)
        return
    copy_database(_on_own_server(connection.settings_dict["NAME"]), target)


def copy_database(source: ScratchDatabase, target: ScratchDatabase) -> None:
    """Give an empty database the tables and rows of another: migrating takes seconds."""
    if target.url.startswith("sqlite"):
        shutil.copy(source.path, target.path)
        return
    statements = ["SET foreign_key_checks = 0"]
    for (table,) in source.query("SHOW TABLES"):
        [(_, create)] = source.query(f"SHOW CREATE TABLE {table}")
        statements.append(create)
        if source.value(f"SELECT COUNT(*) FROM {table}"):
            statements.append(f"INSERT INTO {table} SELECT * FROM {source.path}.{table}")
    target.run(statements)


def copy_to_server(source: ScratchDatabase, target: ScratchDatabase) -> None:
    """Give an empty database of MariaDB the tables and rows of another server's."""
    dump = ["mariadb-dump", "--skip-lock-tables", *_client_options(source)]
    sql = subprocess.run(dump, check=True, stdout=subprocess.PIPE, timeout=60).stdout
    load = ["mariadb", *_client_options(target)]
    subprocess.run(load, check=True, input=sql, timeout=120)


def _client_options(database: ScratchDatabase) -> list[str]:
    parts = urlsplit(database.url)
    return [
        f"--host={parts.hostname}",
        f"--port={parts.port or 3306}",
        f"--user={parts.username}",
        f"--password={unquote(parts.password or '')}",
        database.path,
    ]


def migrate(database: ScratchDatabase) -> None:
    manage(database, "migrate", "--verbosity", "0")


def manage(database: ScratchDatabase, *arguments: str, **variables: str) -> str:
    """Run a command of manage.py on this database; give what it prints."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=_environment(database, variables),
        check=True,
        timeout=120,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def _environment(database: ScratchDatabase, variables: dict[str, str]) -> dict[str, str]:
    return os.environ | {"DATABASE_URL": database.url, "SECRET_KEY": "x" * 50} | variables


class RunningServer:
    """A `manage.py serve` and its workers."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: str) -> None:
        self.process = process
        self.address = address
        self.base_url = f"http://{address}/api/v1"

    def upload(self, data: bytes, **options: Any) -> requests.Response:
        return requests.post(
            f"{self.base_url}/classify",
            files={"image": ("p.jpg", data, "image/jpeg")},
            timeout=60,
            **options,
        )

    def check(self, image_hash: str) -> requests.Response:
        return requests.post(
            f"{self.base_url}/classify/check-cache", json={"image_hash": image_hash}, timeout=60
        )

    def health(self) -> Any:
        return requests.get(f"{self.base_url}/health", timeout=10).json()

    def terminate(self) -> None:
        """Stop in order, and wait for the end."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def kill(self) -> None:
        """kill -9 the server and all its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)

    def wait_until_up(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                self.health()
            except requests.RequestException:
                time.sleep(0.1)
            else:
                return
        pytest.fail("The server did not start.")


@contextmanager
def running_server(
    database: ScratchDatabase,
    model: DashScopeServer,
    output: IO[str] | None = None,
    /,
    *,
    reached_at: str = "",
    **variables: str,
) -> Iterator[RunningServer]:
    """A server with two workers that asks `model`; `variables` change its settings. What it
    prints goes to the file `output`, if there is one. It is asked at `reached_at`, host and port,
    where APP_HOST is not what an address takes."""
    defaults = {
        "APP_HOST": "127.0.0.1",
        "APP_PORT": str(free_port()),
        "WEB_WORKERS": "2",
        "LLM_API_KEY": "sk-test",
        "LLM_PROVIDER": "aliyun",
        "LLM_BASE_URL": model.base_url,
        "ON_MODEL_FAILURE": "error",
    }
    variables = defaults | variables
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=settings.BASE_DIR,
        env=_environment(database, variables),
        start_new_session=True,
        stdout=output or subprocess.DEVNULL,
        stderr=output,
    )
    server = RunningServer(
        process, reached_at or f"{variables['APP_HOST']}:{variables['APP_PORT']}"
    )
    try:
        server.wait_until_up()
        yield server
    finally:
        server.terminate()
