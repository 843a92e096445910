"""Many uploads at once: one model call for one photo, and known photos answered meanwhile."""

import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from typing import Any

from django.db import connection

from benchmarks.load import uploads
from tests.support.pictures import photo

ROUNDS = 3

Figures = dict[str, Any]


def same_photo(port: int, model_port: int) -> Figures:
    """50 uploads of one new photo."""
    before = _model_stats(model_port)["calls"]
    data = photo(seed=time.time_ns() % 10**9)
    replies = asyncio.run(uploads.send_all([uploads.upload(data, port)] * 50, port))
    return {
        "50 uploads of one new photo, model calls": _model_stats(model_port)["calls"] - before,
        "50 uploads of one new photo, answered": _answered(replies),
    }


def new_photos(port: int, model_port: int) -> Figures:
    """200 new photos at once, in rounds, and what check-cache does meanwhile."""
    bursts = [asyncio.run(_burst(port, model_port)) for _ in range(ROUNDS)]
    figures = {name: statistics.median(burst[name] for burst in bursts) for name in bursts[0]}
    figures["200 new photos, answered"] = min(burst["200 new photos, answered"] for burst in bursts)
    ratio = figures["check-cache meanwhile, p99 ms"] / figures["check-cache idle, p99 ms"]
    return figures | {"check-cache meanwhile, times its idle p99": round(ratio, 1)}


def large_photos(port: int) -> Figures:
    """64 uploads of 8 MB at once."""
    requests = []
    for seed in range(64):
        body = photo("PNG", size=(800, 600), seed=3000 + seed)
        requests.append(uploads.upload(body + bytes(8 * 1024 * 1024 - len(body)), port))
    return {
        "64 uploads of 8 MB, answered": _answered(asyncio.run(uploads.send_all(requests, port)))
    }


async def _burst(port: int, model_port: int) -> Figures:
    first = time.time_ns() % 10**9  # of photos that nobody has sent before
    requests = [
        uploads.upload(photo(size=(640, 480), seed=seed), port)
        for seed in range(first, first + 200)
    ]
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
    command = [sys.executable, "-m", "benchmarks.load.prober", str(port), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _p99(prober: "subprocess.Popen[str]") -> float:
    """The prober's figure, once it is done."""
    return round(float(prober.communicate()[0]), 2)


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
