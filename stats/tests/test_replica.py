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
OLD_LOG = """
import datetime
from django.utils import timezone
from classification.models import RequestLog
from stats.rollup import chunks
at = timezone.now() - datetime.timedelta(days=60)
RequestLog.objects.create(request_id="r", category="pets", source="llm", created_at=at)
chunks.SETTLING_SECONDS = 0
list(chunks.roll_up())
list(chunks.roll_up())
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


def test_a_day_that_the_replica_still_has_keeps_its_figures(tmp_path: Path) -> None:
    """The log is purged, and the replica has not heard of it yet."""
    url = f"sqlite:///{tmp_path}/primary.sqlite3"
    manage("migrate", "--verbosity=0", DATABASE_URL=url)
    shell(OLD_LOG, DATABASE_URL=url)
    shutil.copy(tmp_path / "primary.sqlite3", tmp_path / "replica.sqlite3")
    manage("purge_request_log", "--older-than=30d", DATABASE_URL=url)
    replica = url.replace("primary", "replica")
    manage("rebuild_stats", "--from=2020-01-01", DATABASE_URL=url, STATS_DATABASE_URL=replica)
    counted = "from stats.models import Day; print(Day.objects.get().requests)"

    assert shell(counted, DATABASE_URL=url) == "1"


@pytest.mark.mariadb  # its driver says that it is away
def test_a_replica_that_is_away_is_done_without(primary: str) -> None:
    away = "mysql://nobody@127.0.0.1:1/nothing"

    assert shell(READ, DATABASE_URL=primary, STATS_DATABASE_URL=away) == "2"


@pytest.mark.mariadb
def test_a_replica_is_read_as_its_own_user() -> None:
    """Behind a proxy, that is all that tells a replica from its primary."""
    own = settings.DATABASES["default"]
    place = f"{own['HOST']}:{own['PORT'] or 3306}/information_schema"
    code = """
from django.db import OperationalError, connections
for alias in ("default", "stats"):
    try:
        connections[alias].ensure_connection()
    except OperationalError as error:
        print(alias, error.args[0])
    connections[alias].close()
"""
    urls = {
        "DATABASE_URL": f"mysql://{own['USER']}:{own['PASSWORD']}@{place}",
        "STATS_DATABASE_URL": f"mysql://reader:of-another-password@{place}",
    }

    assert shell(code, **urls) == "stats 1045"
