"""Requests a second of each kind, of our server and what it is held against in turn: how fast a
machine is changes from minute to minute, and only what is measured side by side can be compared."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load import processes, scratch_database, uploads
from tests.support.ports import free_port

ROUNDS = 3
SECONDS = 4
CONNECTIONS = 32
HASHES = 100  # of an album
CHECK, ALBUM = "/api/v1/classify/check-cache", "/api/v1/classify/batch-check-cache"
EMPTY, FLOOR = "empty function", "bare SELECT"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: what wrk.lua sends to which address, and how many photos it is about.
    `held_against` is the floor that its rate is divided by."""

    what: str
    path: str
    photos: int = 1
    held_against: str = EMPTY


KINDS = {
    "hit": Kind("one", CHECK),
    "key": Kind("key", CHECK),
    "spread": Kind("spread", CHECK),
    "declared": Kind("declared", CHECK),
    "unknown": Kind("unknown", CHECK),
    "albums": Kind("albums", ALBUM, HASHES),
    "unknown-albums": Kind("unknown-albums", ALBUM, HASHES),
    "upload": Kind("upload", "/api/v1/classify", held_against=FLOOR),
}
FLOORS = {EMPTY: Kind("one", "/empty"), FLOOR: Kind("spread", "/")}


@dataclass(slots=True)
class Measured:
    """Of each round: photos a second, the 99th percentile in ms, and the microseconds that the
    server's processes used for a request, in Python and in the kernel."""

    rates: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)
    user: list[float] = field(default_factory=list)
    kernel: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: its name in the table, its process and its port."""

    name: str
    pid: int
    port: int


@contextmanager
def running_floor() -> Iterator[Server]:
    port = free_port()
    command = ["-m", "granian", "benchmarks.load.floor:application", "--interface", "wsgi"]
    command += ["--no-log", "--http", "1", "--workers", "2", "--blocking-threads", "16"]
    with processes.running([*command, "--port", str(port)], port) as pid:
        yield Server("floor", pid, port)


def measure(
    kinds: Iterable[str], servers: Sequence[Server], key: str
) -> dict[tuple[str, str], Measured]:
    """What came of each kind on each server, and of both floors, by the names of both."""
    with running_floor() as floor, tempfile.NamedTemporaryFile(suffix=".form") as form:
        form.write(uploads.form(scratch_database.known_photo()))
        form.flush()
        turns = [(name, kind, floor) for name, kind in FLOORS.items()]
        turns += [(name, KINDS[name], server) for name in kinds for server in servers]
        found: dict[tuple[str, str], Measured] = {}
        for _ in range(ROUNDS):
            for name, kind, server in turns:
                measured = found.setdefault((name, server.name), Measured())
                _turn(kind, server, measured, KEY=key, FORM=form.name)
    return found


def _turn(kind: Kind, server: Server, measured: Measured, **variables: str) -> None:
    before = processes.cpu_microseconds(server.pid)
    output = _wrk(f"http://127.0.0.1:{server.port}{kind.path}", kind.what, variables)
    after = processes.cpu_microseconds(server.pid)
    requests = int(_found(r"(\d+) requests in", output)[1])
    measured.rates.append(float(_found(r"Requests/sec:\s+([\d.]+)", output)[1]) * kind.photos)
    number, unit = _found(r"99%\s+([\d.]+)(us|ms|s)", output).groups()
    measured.p99s.append(float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit])
    measured.user.append((after[0] - before[0]) / requests)
    measured.kernel.append((after[1] - before[1]) / requests)


def _wrk(url: str, what: str, variables: dict[str, str]) -> str:
    script = str(Path(__file__).with_name("wrk.lua"))
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", script, url]
    output = subprocess.run(
        command,
        env=os.environ | {"WHAT": what} | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"{what}: {output}")
    return output


def _found(pattern: str, output: str) -> "re.Match[str]":
    match = re.search(pattern, output)
    assert match, output
    return match
