"""Starts of a release of its own, with an `.env` as people write it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from django.conf import settings

from tests.support import releases
from tests.support.ports import free_port
from tests.support.servers import RunningServer

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("processes")]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return releases.copy_release(tmp_path_factory.mktemp("start"))


def test_a_file_with_every_liberty_is_served(release: Path) -> None:
    port = free_port()
    lines = [
        "\ufeff# 设置",
        f' export\tAPP_PORT = "{port}"   # ours',
        "APP_HOST=localhost # this machine",
        "WEB_WORKERS= 1",
        "\tMETRICS_TOKEN='a#token'",
        "LLM_MODEL=first",
        "LLM_MODEL=second   # the last one counts",
        "USE_LOCAL_INFERENCE=true",
    ]
    (release / ".env").write_bytes("\r\n".join(lines).encode())
    assert releases.manage(release, "migrate", "--verbosity", "0").returncode == 0
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=release,
        env={"PATH": os.environ["PATH"]},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    server = RunningServer(process, f"127.0.0.1:{port}")
    try:
        server.wait_until_up()
        metrics = requests.get(
            f"http://127.0.0.1:{port}/metrics",
            headers={"Authorization": "Bearer a#token"},
            timeout=60,
        )
        assert metrics.status_code == 200
        assert server.health()["status"] == "healthy"
    finally:
        server.terminate()


@pytest.mark.parametrize(
    "line",
    [
        "LLM_API_KEY: sk-hunter2",
        "LLM_API_KEY＝sk-hunter2",
        "LLM_API_KEY sk-hunter2",
        "“LLM_API_KEY”=sk-hunter2",
        'LLM_API_KEY="sk-hunter2',
    ],
)
def test_a_file_that_is_read_half_is_not_served(release: Path, line: str) -> None:
    (release / ".env").write_text(f"APP_PORT={free_port()}\n{line}\n")
    for command in ("migrate", "serve"):
        result = releases.manage(release, command)

        assert (result.returncode, result.stdout) == (1, "")
        [sentence] = result.stderr.splitlines()
        assert ".env, line 2: LLM_API_KEY" in sentence
        assert "hunter2" not in sentence


@pytest.mark.mariadb
@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"password": "hunter2"}, "Check the user and the password"),
        ({"name": "no_such_database"}, "CREATE DATABASE"),
        ({"port": "1"}, "Start the server"),
        ({"host": "no-such-host.invalid"}, "Check the host"),
    ],
)
def test_a_database_that_does_not_serve_is_a_sentence(
    release: Path, change: dict[str, str], advice: str
) -> None:
    own = settings.DATABASES["default"]
    parts = {
        "user": own["USER"],
        "password": own["PASSWORD"],
        "host": own["HOST"],
        "port": str(own["PORT"] or 3306),
        "name": own["NAME"],
    }
    (release / ".env").write_text(
        "DATABASE_URL=mysql://{user}:{password}@{host}:{port}/{name}\n".format(**parts | change)
    )
    result = releases.manage(release, "migrate")

    assert (result.returncode, result.stdout) == (1, "")
    [sentence] = result.stderr.splitlines()
    assert advice in sentence
    assert "DATABASE_URL" in sentence or "CREATE" in sentence
    assert "hunter2" not in sentence


def test_a_machine_without_time_zones_will_do(release: Path, tmp_path: Path) -> None:
    (release / ".env").write_text("TIME_ZONE=Asia/Kathmandu\n")
    result = releases.manage(release, "check", variables={"PYTHONTZPATH": str(tmp_path)})

    assert (result.returncode, result.stderr) == (0, "")
