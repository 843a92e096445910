"""check_alerts as a timer runs it: in an environment that is not ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from tests.support.robots import Robots
from tests.support.servers import unmigrated_database


def test_an_odd_environment_keeps_no_alert_back(tmp_path: Path) -> None:
    """A terminal that knows ASCII only, and proxies that requests cannot use."""
    with unmigrated_database(tmp_path) as database, Robots() as robots:
        environment = os.environ | {
            "DATABASE_URL": database.url,
            "STATE_DIRECTORY": str(tmp_path),
            "SECRET_KEY": "x" * 50,
            "ALERT_WEBHOOKS": json.dumps([{"kind": "wecom", "url": f"{robots.url}/wecom"}]),
            "PYTHONIOENCODING": "ascii",
            "ALL_PROXY": "socks5://127.0.0.1:1",
            "HTTP_PROXY": "http://127.0.0.1:1",
            "NO_PROXY": "",
        }
        results = [
            subprocess.run(
                [sys.executable, "manage.py", "check_alerts", *arguments],
                cwd=settings.BASE_DIR,
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            for arguments in ([], ["--test"])
        ]

        assert [result.returncode for result in results] == [0, 0], results
        assert "\\u6570\\u636e\\u5e93" in results[0].stdout  # what is wrong, in Chinese
        assert len(robots.texts("/wecom")) == 2
