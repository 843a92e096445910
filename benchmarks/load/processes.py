"""Servers under load: started for a benchmark, watched, and stopped at its end."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def running(command: list[str], port: int, *, root: Path = ROOT, **env: str) -> Iterator[int]:
    """Run a server of the checkout at `root`, with its own packages, until the block ends; gives
    its process id once its port answers."""
    python = sys.executable if root == ROOT else root / ".venv/bin/python"
    log = (ROOT / "var" / f"bench-{port}.log").open("w")
    process = subprocess.Popen(
        [python, *command],
        cwd=root,
        env=os.environ | env,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_for(port)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        log.close()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"Nothing answers on port {port}; see var/bench-{port}.log.")


def workers(pid: int) -> list[int]:
    """The process ids of a server's workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if _memory(int(child), "VmRSS") > 30]


def cpu_microseconds(pid: int) -> tuple[int, int]:
    """What a process and its children have used of the processors, themselves and in the kernel."""
    user = kernel = 0
    for each in _family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        user, kernel = user + int(fields[11]), kernel + int(fields[12])
    tick = 1_000_000 // os.sysconf("SC_CLK_TCK")
    return user * tick, kernel * tick


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _family(int(child))


def peak_memory(pid: int) -> int:
    """The most memory that a process ever held, in MB."""
    return _memory(pid, "VmHWM")


def memory(pid: int) -> int:
    """The memory that a process holds now, in MB."""
    return _memory(pid, "VmRSS")


def _memory(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) // 1024
    return 0
