"""What every test begins with: no hot entries, no waiting rows, no provider made yet."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.signals import setting_changed
from django.db import connection
from pytest_django import Settings

from classification import configured, flights, known_photos, spending
from classification.recorder import recorder
from classification.tests.dashscope_server import DashScopeServer


def pytest_configure() -> None:
    """Serve static files from where they are: nothing has collected them for a test."""
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    # For good, not test by test: a late request of the last test would see it change.
    settings.STORAGES = settings.STORAGES | {"staticfiles": storage}


def _forget_providers(**_: Any) -> None:
    configured.forget()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("mariadb") and connection.vendor != "mysql":
        pytest.skip("needs MariaDB: set DATABASE_URL=mysql://user:password@host/name")


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """Take out what a test's request would leave in the process for the next one."""
    cache.clear()
    known_photos.forget_prompt()
    spending.forget()
    recorder._rows.clear()
    flights._heart._landed.clear()
    flights._heart._marked.clear()
    _forget_providers()
    setting_changed.connect(_forget_providers)
    yield
    setting_changed.disconnect(_forget_providers)
    recorder._rows.clear()


@pytest.fixture
def model(settings: Settings) -> Iterator[DashScopeServer]:
    """A DashScope on loopback, configured as the provider; failures are refused."""
    with DashScopeServer() as server:
        settings.LLM_PROVIDER = "aliyun"
        settings.LLM_API_KEY = "sk-test"
        settings.LLM_BASE_URL = server.base_url
        settings.LLM_TIMEOUT = 5
        settings.ON_MODEL_FAILURE = "error"
        yield server
