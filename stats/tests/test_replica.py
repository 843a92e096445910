"""Figures are read from a replica where there is one, and rolled up where rows are written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

LOG = """
from classification.models import RequestLog
RequestLog.objects.create(request_id="r", category="pets", source="llm")
"""
READ = """
from stats.figures import current_figures
with current_figures() as figures:
    print(figures.today()["total_requests"])
"""


def manage(*arguments: str, **variables: str) -> str:
    return subprocess.check_output(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | variables,
        text=True,
        timeout=120,
    ).strip()


def shell(code: str, **variables: str) -> str:
    return manage("shell", "--no-imports", "-c", code, **variables)


@pytest.fixture
def primary(tmp_path: Path) -> str:
    """The address of a database with two requests; its replica has seen one of them."""
    url = f"sqlite:///{tmp_path}/primary.sqlite3"
    manage("migrate", "--verbosity=0", DATABASE_URL=url)
    shell(LOG, DATABASE_URL=url)
    shutil.copy(tmp_path / "primary.sqlite3", tmp_path / "replica.sqlite3")
    shell(LOG, DATABASE_URL=url)
    return url


def test_figures_are_read_from_the_replica(primary: str) -> None:
    replica = primary.replace("primary", "replica")

    assert shell(READ, DATABASE_URL=primary) == "2"
    assert shell(READ, DATABASE_URL=primary, STATS_DATABASE_URL=replica) == "1"


@pytest.mark.mariadb  # its driver says that it is away
def test_a_replica_that_is_away_is_done_without(primary: str) -> None:
    away = "mysql://nobody@127.0.0.1:1/nothing"

    assert shell(READ, DATABASE_URL=primary, STATS_DATABASE_URL=away) == "2"
