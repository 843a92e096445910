"""A run that is killed is taken up, and pays for each photo once."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.dashscope_server import DashScopeServer
from tests.support.labelled_photos import LabelledPhotos
from tests.support.servers import ScratchDatabase, manage
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(180)

PHOTOS = 8


def test_a_killed_run_pays_for_each_photo_once(
    database: ScratchDatabase, dashscope: DashScopeServer, photos: LabelledPhotos, tmp_path: Path
) -> None:
    for number in range(PHOTOS):
        photos.add(f"pets/{number}.png", "pets")
    photos.taught(dashscope)
    dashscope.script("ok", "ok", "ok", "hold")
    variables = {
        "LLM_PROVIDER": "aliyun",
        "LLM_API_KEY": "sk-test",
        "LLM_BASE_URL": dashscope.base_url,
        "LLM_MAX_CONCURRENCY": "2",
    }
    environment = {"DATABASE_URL": database.url, "SECRET_KEY": "x" * 50} | variables
    command = [sys.executable, "manage.py", "evaluate", str(photos.folder), "--json"]
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=os.environ | environment, stderr=subprocess.DEVNULL
    ) as run:
        wait_until(lambda: len(dashscope.requests) == 5, 60)
        count = "SELECT COUNT(*) FROM quality_evaluated_photo"
        wait_until(lambda: database.value(count) == 3)
        run.send_signal(signal.SIGKILL)

    dashscope.script("ok")
    arguments = ("evaluate", str(photos.folder), "--json")
    figures = json.loads(manage(database, *arguments, **variables))

    assert sorted(photos.asked(dashscope)) == [f"pets/{number}.png" for number in range(PHOTOS)]
    # Two were being asked about: perhaps paid, they are not asked about again, and do not count.
    assert (figures["photos"], figures["right"]) == (PHOTOS - 2, PHOTOS - 2)
    assert figures["failures"] == {"internal_error": 2}
    assert database.query("SELECT COUNT(*), COUNT(finished_at) FROM quality_evaluation_run") == [
        (1, 1)
    ]
    assert database.value("SELECT COUNT(*) FROM model_call") == PHOTOS - 2
    lost = "token NOT IN (SELECT call_id FROM model_call)"
    assert database.value(f"SELECT COUNT(*) FROM spending_reservation WHERE {lost}") == 2
