"""Fixtures for all tests, which reset the state of the process."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.signals import setting_changed
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings

from classification import prompts
from classification.billing import daily_limit, reservations
from classification.pipeline import answer_cache, leases
from classification.pipeline.write_behind import buffer
from classification.providers import registry
from clients import quotas
from clients.directory import directory
from tests.support.dashscope_server import DashScopeServer
from tests.support.servers import (
    ScratchDatabase,
    copy_database,
    copy_own_database,
    unmigrated_database,
)

# Of what is loaded and collected nothing is garbage; looking for it takes a fifth of the time.
gc.disable()


def pytest_configure() -> None:
    """Serve static files from where they are, which nothing has collected for a test; and spare
    each test what a server does once: a list of those files for each client, and a hash of each
    password that takes a third of a second."""
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    # Once, not per test: a late request of a previous test would see it change.
    settings.STORAGES = settings.STORAGES | {"staticfiles": storage}
    settings.WHITENOISE_AUTOREFRESH = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are processors: half of the time, a test waits for a server, a browser or
    a clock."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that start servers, so that no worker is left with one at the end."""
    long = {item.path for item in items if item.get_closest_marker("timeout")}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """Set the tests aside, so that no search for garbage goes through them again."""
    gc.freeze()
    gc.enable()


def _reset_providers(**_: Any) -> None:
    registry.reset()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("mariadb") and connection.vendor != "mysql":
        pytest.skip("needs MariaDB: set DATABASE_URL=mysql://user:password@host/name")


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """Reset all state of the process before each test."""
    cache.clear()
    answer_cache.reset()
    prompts.invalidate()
    daily_limit.reset()
    reservations.reset()
    quotas.reset()
    buffer.reset()
    leases.reset()
    _reset_providers()
    setting_changed.connect(_reset_providers)
    directory.reset()
    yield
    setting_changed.disconnect(_reset_providers)
    buffer.reset()


@pytest.fixture
def model(settings: Settings) -> Iterator[DashScopeServer]:
    """A fake DashScope on loopback, configured as the provider; ON_MODEL_FAILURE is "error"."""
    with DashScopeServer() as server:
        settings.LLM_PROVIDER = "aliyun"
        settings.LLM_API_KEY = "sk-test"
        settings.LLM_BASE_URL = server.base_url
        settings.LLM_TIMEOUT = 5
        settings.ON_MODEL_FAILURE = "error"
        yield server


@pytest.fixture
def dashscope() -> Iterator[DashScopeServer]:
    """A fake DashScope on loopback, for servers that a test starts."""
    with DashScopeServer() as server:
        yield server


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ScratchDatabase]:
    """The tests' own database, and a copy of it from before the first test, as it is given."""
    with (
        django_db_blocker.unblock(),
        unmigrated_database(tmp_path_factory.mktemp("migrated")) as template,
    ):
        copy_own_database(template)
        yield template


@pytest.fixture(scope="session")
def migrated_database(django_db_setup: ScratchDatabase) -> ScratchDatabase:
    """The template that each `database` is copied from."""
    return django_db_setup


@pytest.fixture
def database(migrated_database: ScratchDatabase, tmp_path: Path) -> Iterator[ScratchDatabase]:
    """An empty, migrated database of the test's own, for servers that it starts."""
    with unmigrated_database(tmp_path) as database:
        copy_database(migrated_database, database)
        yield database
