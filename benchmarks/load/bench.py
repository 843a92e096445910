"""`make bench`: our server beside two floors, a function that does nothing and a bare SELECT.

Needs MariaDB (BENCH_DATABASE_URL, default mysql://root@localhost/classifier_bench, a
database of its own that is made and emptied) and wrk. Prints a table and writes var/bench.json.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.load import bursts, fresh_clone, processes, rates, scratch_database
from benchmarks.load.rates import Measured, Server
from tests.support.ports import free_port

MODEL_SECONDS = 2.0
CONCURRENCY = 100
OURS, AGAINST = "ours", "against"
BURSTS = ("same-photo", "burst", "large")
# Of minutes, so only where it is asked for.
TEST = "test"
ROWS = (*rates.KINDS, *BURSTS, "run")

Figures = dict[str, Any]


def main() -> None:
    options = _options()
    rows: Sequence[str] = options.rows or ROWS
    figures: Figures = {}
    kinds = [row for row in rows if row in rates.KINDS]
    if kinds and not shutil.which("wrk"):
        print(f"Without wrk (apt-get install wrk), skipped: {', '.join(kinds)}.")
        kinds = []
    if kinds or set(rows) & set(BURSTS):
        figures |= _of_servers(rows, kinds, options.against)
    if "run" in rows:
        figures |= fresh_clone.run_twice()
    if TEST in rows:
        figures |= fresh_clone.test()
    _report(figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}, or {TEST}")
    help_text = "a checkout whose server is measured in turn with ours, on the same tables"
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help=help_text)
    options = parser.parse_args()
    if unknown := set(options.rows) - {*ROWS, TEST}:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    return options


def _of_servers(rows: Sequence[str], kinds: list[str], against: Path | None) -> Figures:
    scratch_database.prepare()
    key = scratch_database.make_key()
    model_port = free_port()
    model = ["-m", "tests.support.dashscope_server", "--port", str(model_port)]
    figures: Figures = {}
    with contextlib.ExitStack() as stack:
        model += ["--delay", str(MODEL_SECONDS)]
        stack.enter_context(processes.running(model, model_port))
        servers = [stack.enter_context(_running(OURS, processes.ROOT, model_port))]
        if against:
            servers.append(stack.enter_context(_running(AGAINST, against, model_port)))
        workers = processes.workers(servers[0].pid)
        figures["memory of a worker at rest, MB"] = max(map(processes.memory, workers))
        if kinds:
            figures |= _rate_figures(rates.measure(kinds, servers, key), kinds, servers)
        for server in servers:
            found = _burst_figures(rows, server.port, model_port)
            figures |= {_of(name, server.name): figure for name, figure in found.items()}
        figures["log rows dropped"] = _rows_dropped(servers[0].port)
        figures["peak memory of a process, MB"] = max(map(processes.peak_memory, workers))
    return figures


@contextlib.contextmanager
def _running(name: str, checkout: Path, model_port: int) -> Iterator[Server]:
    port = free_port()
    settings = {
        "APP_PORT": str(port),
        "WEB_WORKERS": "2",
        "LLM_API_KEY": "sk-bench",
        "LLM_PROVIDER": "aliyun",
        "LLM_BASE_URL": f"http://127.0.0.1:{model_port}/api/v1",
        "LLM_MAX_CONCURRENCY": str(CONCURRENCY),
        "ON_MODEL_FAILURE": "error",
    }
    with processes.running(["manage.py", "serve"], port, root=checkout, **settings) as pid:
        yield Server(name, pid, port)


def _rate_figures(
    found: dict[tuple[str, str], Measured], kinds: list[str], servers: list[Server]
) -> Figures:
    floors = {name: found[name, "floor"].rate for name in rates.FLOORS}
    figures: Figures = {f"{name}, 1/s": round(rate) for name, rate in floors.items()}
    for name in kinds:
        kind = rates.KINDS[name]
        for server in servers:
            measured = found[name, server.name]
            row = _of(name, server.name)
            figures[f"{row}, {'hashes ' if kind.photos > 1 else ''}1/s"] = round(measured.rate)
            if kind.photos == 1:
                ratio = measured.rate / floors[kind.held_against]
                figures[f"{row}, of the {kind.held_against}"] = round(ratio, 3)
            figures[f"{row}, p99 ms"] = round(statistics.median(measured.p99s), 1)
            figures[f"{row}, CPU us in Python"] = round(statistics.median(measured.user))
            figures[f"{row}, CPU us in the kernel"] = round(statistics.median(measured.kernel))
    return figures


def _burst_figures(rows: Sequence[str], port: int, model_port: int) -> Figures:
    figures: Figures = {}
    if "same-photo" in rows:
        figures |= bursts.same_photo(port, model_port)
    if "burst" in rows:
        figures |= bursts.new_photos(port, model_port)
    if "large" in rows:
        figures |= bursts.large_photos(port)
    return figures


def _of(row: str, server: str) -> str:
    return row if server == OURS else f"{row} ({server})"


def _rows_dropped(port: int) -> int:
    """What the background writer could not keep up with, in the worker that answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health") as response:
        dropped: int = json.load(response)["log_rows_dropped"]
    return dropped


def _report(figures: Figures) -> None:
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:<{width}}  {value:>10}")
    (processes.ROOT / "var" / "bench.json").write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
