"""A server for uploads, with a database of its own that is thrown away."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.load import processes
from tests.support.ports import free_port


@contextmanager
def serving(workers: int = 1, model_port: int = 0) -> Iterator[tuple[int, int]]:
    """The server's port and process id. It asks the fake DashScope at `model_port`, or else the
    on-device model."""
    port = free_port()
    with TemporaryDirectory() as folder:
        env = {
            "APP_PORT": str(port),
            "WEB_WORKERS": str(workers),
            "LLM_PROVIDER": "aliyun" if model_port else "local",
            # So that clients of one machine may have addresses of their own.
            "TRUSTED_PROXIES": "127.0.0.1",
            "LLM_API_KEY": "sk-bench" if model_port else "",
            "LLM_BASE_URL": f"http://127.0.0.1:{model_port}/api/v1" if model_port else "",
            "ON_MODEL_FAILURE": "error",
            "DATABASE_URL": f"sqlite:///{folder}/photos.sqlite3",
        }
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, env=os.environ | env, cwd=processes.ROOT, check=True)
        with processes.running(["manage.py", "serve"], port, root=processes.ROOT, **env) as pid:
            yield port, pid


def descendants(pid: int) -> list[int]:
    """The process and all that it has started: workers, and their decoders."""
    found = [pid]
    for process in found:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue
    return found
