"""How long `make run` takes in a fresh clone until it answers, and `make test`."""

import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.load import processes
from tests.support.ports import free_port

PATIENCE_SECONDS = 300
# Of ours, none of which a fresh clone has.
SETTINGS = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "BENCH_DATABASE_URL")


def run_twice() -> dict[str, float]:
    """Seconds until `make run` answers, in a clone of what is committed, and once more."""
    with tempfile.TemporaryDirectory() as folder:
        clone = _clone(Path(folder))
        return {
            "make run in a fresh clone, s": _seconds_to_answer(clone),
            "make run once more, s": _seconds_to_answer(clone),
        }


def test() -> dict[str, float]:
    """Seconds of `make test`, its setting up left out."""
    with tempfile.TemporaryDirectory() as folder:
        clone = _clone(Path(folder))
        _make(clone, "lint").wait()  # sets up, whatever it finds
        started = time.monotonic()
        status = _make(clone, "test").wait()
        return {"make test, s": round(time.monotonic() - started, 1), "its exit status": status}


def _clone(folder: Path) -> Path:
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", processes.ROOT, clone], check=True)
    return clone


def _make(folder: Path, target: str, **variables: str) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return subprocess.Popen(
        ["make", target],
        cwd=folder,
        env=environment | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _seconds_to_answer(folder: Path) -> float:
    port = free_port()
    started = time.monotonic()
    make = _make(folder, "run", APP_PORT=str(port))
    try:
        while not _answers(port):
            if make.poll() is not None or time.monotonic() - started > PATIENCE_SECONDS:
                raise TimeoutError("make run does not answer.")
            time.sleep(0.05)
        return round(time.monotonic() - started, 1)
    finally:
        os.killpg(make.pid, signal.SIGTERM)
        make.wait(60)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/live", timeout=5):
            return True
    except (OSError, urllib.error.URLError):
        return False
