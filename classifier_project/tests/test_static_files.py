"""Pages where nobody has collected the static files."""

import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:No directory at"),
]


def test_pages_have_their_files_without_collectstatic(settings: Settings, tmp_path: Path) -> None:
    settings.WHITENOISE_AUTOREFRESH = False  # the list that a server makes at its start
    settings.STATIC_ROOT = tmp_path / "never-made"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "core.static_files.StaticFiles"}
    }
    client = Client()
    page = client.get("/admin/login/")
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.content.decode())

    assert page.status_code == 200
    assert len(addresses) > 3
    files = [client.get(address) for address in addresses]
    for file in files:
        file.close()
    assert {file.status_code for file in files} == {200}
