"""Two servers, each as on a host of its own, on one database: apps' keys and days are the same."""

import json
from contextlib import ExitStack
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.support.apps import bearer
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import RunningServer, ScratchDatabase, manage, running_server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(180)

# Python runs it first in each process: its clock is ahead by as many seconds as the file says.
CLOCK = """
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

ahead = Path(__file__).with_name("ahead")
real = timezone.now
timezone.now = lambda: real() + timedelta(seconds=float(ahead.read_text()))
"""


class Clock:
    """The wall clock of servers whose PYTHONPATH is `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(CLOCK)

    def move_to(self, moment: datetime) -> None:
        new = self.folder / "new"
        new.write_text(str((moment - timezone.now()).total_seconds()))
        new.replace(self.folder / "ahead")


def upload(server: RunningServer, key: str, seed: int) -> int:
    return server.upload(photo(seed=seed), headers=bearer(key)).status_code


def test_a_day_begins_and_a_key_ends_on_both(
    database: ScratchDatabase, dashscope: DashScopeServer, tmp_path: Path
) -> None:
    made = manage(database, "create_app", "camera", "--json", "--new-photos-per-day", "2")
    key = json.loads(made)["key"]
    clock = Clock(tmp_path / "clock")
    evening = timezone.make_aware(datetime.combine(timezone.localdate(), time(23, 0)))
    clock.move_to(evening)
    with ExitStack() as stack:
        hosts = [
            stack.enter_context(
                running_server(
                    database,
                    dashscope,
                    PYTHONPATH=str(clock.folder),
                    STATE_DIRECTORY=str(tmp_path / name),
                    WEB_WORKERS="1",
                )
            )
            for name in ("one", "two")
        ]
        before = [upload(hosts[seed % 2], key, seed) for seed in range(4)]
        clock.move_to(evening + timedelta(hours=1, seconds=1))
        # The second host is the first to see the new day.
        after = [upload(hosts[(seed + 1) % 2], key, seed) for seed in range(2, 6)]
        manage(database, "revoke_key", key)
        # A known photo, which is free.
        wait_until(
            lambda: all(upload(host, key, 0) == 401 for host in hosts for _ in range(2)),
            seconds=30,
        )

    assert before == after == [200, 200, 429, 429]
    assert database.value("SELECT COUNT(*) FROM client_quota_counter WHERE new_photos = 2") == 2
    assert len(dashscope.requests) == 4
