"""`make bench`: our server beside a floor that does the same SELECT with nothing around it.

Needs MariaDB (BENCH_DATABASE_URL, default mysql://root@127.0.0.1:3306/classifier_bench, a
database of its own that is emptied) and wrk. Prints a table and writes var/bench.json.
"""

import asyncio
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import django

DATABASE_URL = os.environ.get("BENCH_DATABASE_URL", "mysql://root@127.0.0.1:3306/classifier_bench")
os.environ["DATABASE_URL"] = DATABASE_URL
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_project.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks import processes, uploads  # noqa: E402
from classification.models import CacheEntry, Flight, ModelCall, RequestLog  # noqa: E402
from classification.tests.pictures import photo  # noqa: E402
from classification.tests.ports import free_port  # noqa: E402

ROUNDS = 3
SECONDS = 10
CONNECTIONS = 32
ENTRIES = 50_000
MODEL_SECONDS = 2.0
CONCURRENCY = 100

Figures = dict[str, Any]


def main() -> None:
    if not shutil.which("wrk"):
        sys.exit("wrk is missing: apt-get install wrk")
    _prepare_database()
    floor_port, port, model_port = (free_port() for _ in range(3))
    floor = ["-m", "granian", "benchmarks.floor:application", "--interface", "wsgi", "--no-log"]
    floor += ["--workers", "2", "--blocking-threads", "16", "--port", str(floor_port)]
    model = ["-m", "classification.tests.dashscope_server", "--port", str(model_port)]
    ours = {
        "APP_PORT": str(port),
        "WEB_WORKERS": "2",
        "LLM_API_KEY": "sk-bench",
        "LLM_PROVIDER": "aliyun",
        "LLM_BASE_URL": f"http://127.0.0.1:{model_port}/api/v1",
        "LLM_MAX_CONCURRENCY": str(CONCURRENCY),
        "ON_MODEL_FAILURE": "error",
    }
    with (
        processes.running([*model, "--delay", str(MODEL_SECONDS)], model_port),
        processes.running(["manage.py", "serve"], port, **ours) as pid,
    ):
        workers = processes.workers(pid)
        at_rest = max(map(processes.memory, workers))
        with processes.running(floor, floor_port):
            figures = _rates(floor_port, port)
        figures["memory of a worker at rest, MB"] = at_rest
        figures |= asyncio.run(_same_photo(port, model_port))
        figures |= _median_burst(port, model_port)
        figures |= asyncio.run(_large_photos(port))
        figures["log rows dropped"] = _rows_dropped(port)
        figures["peak memory of a process, MB"] = max(map(processes.peak_memory, workers))
    _report(figures)


def _prepare_database() -> None:
    call_command("migrate", verbosity=0)
    for model in (CacheEntry, RequestLog, ModelCall, Flight):
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE TABLE {model._meta.db_table}")
    entries = (
        CacheEntry(
            image_hash=f"{number:064x}",
            category="pets",
            confidence="0.9",
            model_used="qwen-vl-plus",
            provider="aliyun",
            prompt_version=1,
        )
        for number in range(ENTRIES)
    )
    CacheEntry.objects.bulk_create(entries, batch_size=2000)
    known = photo(size=(1024, 768), seed=1)
    CacheEntry.objects.create(
        image_hash=hashlib.sha256(known).hexdigest(),
        category="pets",
        confidence="0.9",
        model_used="qwen-vl-plus",
        provider="aliyun",
        prompt_version=1,
    )


def _rates(floor_port: int, port: int) -> Figures:
    """Requests a second of each kind, ours and the floor's in turn."""
    known = photo(size=(1024, 768), seed=1)
    measured: dict[str, list[float]] = {}
    kinds: dict[str, Callable[[], float]] = {
        "floor": lambda: _wrk(floor_port, "spread"),
        "hit, one photo": lambda: _wrk(port, "one"),
        "hits over 50,000": lambda: _wrk(port, "spread"),
        "unknown hash": lambda: _wrk(port, "unknown"),
        "upload of a known photo": lambda: asyncio.run(_known_uploads(known, port)),
    }
    for _ in range(ROUNDS):
        for kind, measure in kinds.items():
            measured.setdefault(kind, []).append(measure())
    medians = {kind: statistics.median(values) for kind, values in measured.items()}
    figures: Figures = {f"{kind}, 1/s": round(rate) for kind, rate in medians.items()}
    for kind in list(kinds)[1:]:
        figures[f"{kind}, of the floor"] = round(medians[kind] / medians["floor"], 2)
    return figures


def _wrk(port: int, what: str) -> float:
    url = f"http://127.0.0.1:{port}/api/v1/classify/check-cache"
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", "benchmarks/wrk.lua", url]
    output = subprocess.run(
        command, env=os.environ | {"WHAT": what}, capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"{what}: {output}")
    match = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert match, output
    return float(match[1])


async def _known_uploads(known: bytes, port: int) -> float:
    request = uploads.upload(known, port)
    started = time.perf_counter()
    for _ in range(20):
        replies = await uploads.send_all([request] * CONNECTIONS, port)
        assert all(reply.body["from_cache"] for reply in replies)
    return 20 * CONNECTIONS / (time.perf_counter() - started)


async def _same_photo(port: int, model_port: int) -> Figures:
    before = _model_stats(model_port)["calls"]
    replies = await uploads.send_all([uploads.upload(photo(seed=10**6), port)] * 50, port)
    calls = _model_stats(model_port)["calls"] - before
    return {
        "50 uploads of one new photo, model calls": calls,
        "50 uploads of one new photo, answered": _answered(replies),
    }


def _median_burst(port: int, model_port: int) -> Figures:
    """200 new photos at once, in three rounds."""
    bursts = [asyncio.run(_burst(2000 + 200 * n, port, model_port)) for n in range(ROUNDS)]
    figures = {name: statistics.median(burst[name] for burst in bursts) for name in bursts[0]}
    figures["200 new photos, answered"] = min(burst["200 new photos, answered"] for burst in bursts)
    ratio = figures["check-cache meanwhile, p99 ms"] / figures["check-cache idle, p99 ms"]
    return figures | {"check-cache meanwhile, times its idle p99": round(ratio, 1)}


async def _burst(first: int, port: int, model_port: int) -> Figures:
    """200 photos that nobody has sent before, and what check-cache does meanwhile."""
    seeds = range(first, first + 200)
    requests = [uploads.upload(photo(size=(640, 480), seed=seed), port) for seed in seeds]
    idle_p99 = _p99(_prober(port, 4))
    connections = _Connections()
    prober = _prober(port, 4)
    started = time.perf_counter()
    replies = await uploads.send_all(requests, port)
    seconds = time.perf_counter() - started
    busy_p99 = _p99(prober)
    return {
        "200 new photos, answered": _answered(replies),
        "200 new photos, seconds": round(seconds, 2),
        "200 new photos, peak calls in flight": _model_stats(model_port)["peak_in_flight"],
        "200 new photos, database connections": connections.stop(),
        "check-cache idle, p99 ms": idle_p99,
        "check-cache meanwhile, p99 ms": busy_p99,
    }


def _prober(port: int, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.prober", str(port), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _p99(prober: "subprocess.Popen[str]") -> float:
    """The prober's figure, once it is done."""
    return round(float(prober.communicate()[0]), 2)


async def _large_photos(port: int) -> Figures:
    """64 uploads of 8 MB at once."""
    requests = []
    for seed in range(64):
        body = photo("PNG", size=(800, 600), seed=3000 + seed)
        requests.append(uploads.upload(body + bytes(8 * 1024 * 1024 - len(body)), port))
    replies = await uploads.send_all(requests, port)
    return {"64 uploads of 8 MB, answered": _answered(replies)}


class _Connections:
    """Counts the connections to the database until it is stopped."""

    def __init__(self) -> None:
        self._peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        with connection.cursor() as cursor:
            while not self._stop.wait(0.05):
                cursor.execute(
                    "SELECT COUNT(*) FROM information_schema.processlist "
                    "WHERE db = DATABASE() AND id != CONNECTION_ID()"
                )
                self._peak = max(self._peak, cursor.fetchone()[0])
        connection.close()

    def stop(self) -> int:
        self._stop.set()
        self._thread.join()
        return self._peak


def _answered(replies: list[uploads.Reply]) -> int:
    return sum(reply.status == 200 for reply in replies)


def _model_stats(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stats") as response:
        stats: dict[str, Any] = json.load(response)
    return stats


def _rows_dropped(port: int) -> int:
    """What the background writer could not keep up with, in the worker that answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health") as response:
        dropped: int = json.load(response)["log_rows_dropped"]
    return dropped


def _report(figures: Figures) -> None:
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:<{width}}  {value:>8}")
    (processes.ROOT / "var" / "bench.json").write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
