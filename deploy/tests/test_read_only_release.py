"""A release that is root's and mounted read-only is served by another user, with everything on."""

import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests

from tests.support import releases
from tests.support.api import sha256
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.ports import free_port
from tests.support.robots import Robots
from tests.support.servers import RunningServer, ScratchDatabase, migrate, unmigrated_database
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("processes")]

TOKEN = secrets.token_hex(16)


@contextmanager
def serving(release: Path, variables: dict[str, str]) -> Iterator[RunningServer]:
    process = subprocess.Popen(
        releases.read_only(release, "serve"), env=variables, start_new_session=True
    )
    server = RunningServer(process, f"127.0.0.1:{variables['APP_PORT']}")
    try:
        server.wait_until_up()
        yield server
    finally:
        server.terminate()


def check_alerts(release: Path, variables: dict[str, str]) -> str:
    """What the timer's run says, whatever its status."""
    command = releases.read_only(release, "check_alerts")
    result = subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    return result.stdout + result.stderr


def metrics(server: RunningServer) -> str:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return requests.get(f"http://{server.address}/metrics", headers=headers, timeout=60).text


def everything_on(
    database: ScratchDatabase, model: DashScopeServer, robots: Robots
) -> dict[str, str]:
    """Settings that switch on what can be."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "SECRET_KEY": "x" * 50,
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "TRUSTED_PROXIES": "127.0.0.1",
        "DATABASE_URL": database.url,
        "CACHE_URL": "redis://127.0.0.1:6379/11",
        "METRICS_TOKEN": TOKEN,
        "LOG_FORMAT": "json",
        "LLM_API_KEY": "sk-test",
        "LLM_BASE_URL": model.base_url,
        "DAILY_COST_LIMIT": "50",
        "ALERT_WEBHOOKS": json.dumps([{"kind": "wecom", "url": f"{robots.url}/wecom"}]),
        "APP_PORT": str(free_port()),
        "WEB_WORKERS": "2",
    }


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder that others reach, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.mariadb  # the driver of a database that is away is what only some have
def test_a_read_only_release_serves_another_user(tmp_path: Path, state: Path) -> None:
    release = releases.copy_release(tmp_path)
    with unmigrated_database(state) as database, DashScopeServer() as model, Robots() as robots:
        migrate(database)
        for path in (state, *state.iterdir()):
            os.chown(path, releases.ANONYMOUS_REQUESTER, releases.ANONYMOUS_REQUESTER)
        variables = everything_on(database, model, robots) | {"STATE_DIRECTORY": str(state)}
        assert releases.manage(release, "collectstatic", "--noinput").returncode == 0
        with serving(release, variables) as server:
            reply = server.upload(photo()).json()
            assert (reply["source"], reply["data"]["category"]) == ("llm", "pets")
            assert server.check(sha256(photo())).json()["cached"]
            assert server.health()["status"] == "healthy"
            wait_until(lambda: "classifier_processes 2.0" in metrics(server))
            page = requests.get(f"http://{server.address}/admin/login/", timeout=60)
            assert page.status_code == 200

            away = variables | {"DATABASE_URL": f"mysql://a:b@127.0.0.1:{free_port()}/none"}
            for _ in range(3):
                check_alerts(release, away)
            assert len(robots.texts("/wecom")) == 1
            _pass_six_minutes(state / "alerts.json")
            check_alerts(release, variables)
            _, ended = robots.texts("/wecom")
            assert "已恢复：数据库没有响应" in ended

    assert not (release / "var" / "alerts.json").exists()


def _pass_six_minutes(file: Path) -> None:
    rows = json.loads(file.read_text())
    for row in rows:
        seen = datetime.fromisoformat(row["seen_at"])
        row["seen_at"] = str(seen - timedelta(minutes=6))
    file.write_text(json.dumps(rows))
