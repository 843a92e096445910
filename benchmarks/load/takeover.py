"""How long an older installation's database takes to be taken over.

`python -m benchmarks.load.takeover` needs MariaDB (BENCH_DATABASE_URL, as in `make bench`; it makes
and drops a database of its own beside it). Writes a dump of the older schema with 100,000
requests and 10,000 entries, loads it with `mariadb < dump`, takes it over with `manage.py adopt`,
and asks for every old answer over HTTP. Prints a table and writes var/bench-takeover.json.
"""

import hashlib
import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.load import processes
from tests.support.older_service import PLAIN
from tests.support.ports import free_port

DATABASE_URL = os.environ.get("BENCH_DATABASE_URL", "mysql://root@localhost/classifier_bench")
REQUESTS = 100_000
ENTRIES = 10_000
BATCH_ROWS = 1000
HASHES_AT_ONCE = 100
NAME = "classifier_bench_takeover"
CATEGORIES = ("pets", "foods", "other", "screenshot", "travel_scenery", "single_person")

Answer = dict[str, Any]


def main() -> None:
    dump = processes.ROOT / "var" / "bench-takeover.sql"
    answers = _write_dump(dump)
    url = f"{DATABASE_URL.rpartition('/')[0]}/{NAME}"
    os.environ["DATABASE_URL"] = url
    _client(f"DROP DATABASE IF EXISTS {NAME}; CREATE DATABASE {NAME} CHARACTER SET utf8mb4")
    try:
        figures = {"load of the dump, s": _timed(lambda: _load(dump))}
        figures["adopt --check, s"] = _timed(lambda: _manage("adopt", "--check"))
        figures["adopt, s"] = _timed(lambda: _manage("adopt"))
        figures["roll_up_stats, s"] = _timed(lambda: _manage("roll_up_stats"))
        port = free_port()
        with processes.running(["manage.py", "serve"], port, APP_PORT=str(port)):
            figures["old answers"] = len(answers)
            figures["of them served as they were"] = _served(answers, port)
    finally:
        _client(f"DROP DATABASE {NAME}")
        dump.unlink()
    processes.ROOT.joinpath("var/bench-takeover.json").write_text(json.dumps(figures, indent=2))
    for name, figure in figures.items():
        print(f"{name:34}{figure:>10,.1f}")


def _write_dump(path: Path) -> dict[str, Answer]:
    """Write the older tables as statements; gives what each hash must be answered."""
    chance = random.Random(7)  # noqa: S311
    answers: dict[str, Answer] = {}
    rows = list(_entries(chance, answers))
    hashes = list(answers)
    with path.open("w") as file:
        file.write(PLAIN + ";\n")
        _write_rows(
            file,
            "image_classification_cache (image_hash, category, confidence, description, "
            "model_used, model_response, hit_count, created_at, last_hit_at)",
            rows,
        )
        _write_rows(
            file,
            "request_log (request_id, user_id, ip_address, image_hash, image_size, category, "
            "confidence, from_cache, processing_time_ms, created_at)",
            _requests(chance, answers, hashes),
        )
    return answers


def _entries(chance: random.Random, answers: dict[str, Answer]) -> Iterator[tuple[Any, ...]]:
    start = datetime(2025, 1, 1)
    for number in range(ENTRIES):
        image_hash = hashlib.sha256(str(number).encode()).hexdigest()
        category = chance.choice(CATEGORIES)
        confidence = chance.randint(5100, 9900) / 10_000
        description = f"第 {number} 张照片"
        answers[image_hash] = {
            "category": category,
            "confidence": confidence,
            "description": description,
        }
        written = image_hash.upper() if number % 10 == 0 else image_hash
        reply = json.dumps({"output": {"text": description}}, ensure_ascii=False)
        at = start + timedelta(minutes=number)
        yield (
            *(written, category, confidence, description, "qwen-vl-plus", reply),
            *(chance.randint(1, 50), at, at + timedelta(days=1)),
        )


def _requests(
    chance: random.Random, answers: dict[str, Answer], hashes: list[str]
) -> Iterator[tuple[Any, ...]]:
    start = datetime(2025, 1, 1)
    for number in range(REQUESTS):
        image_hash = chance.choice(hashes)
        answer = answers[image_hash]
        yield (
            *(f"req_{number}", f"u{chance.randint(1, 2000)}", "192.0.2.1", image_hash, 300_000),
            *(answer["category"], answer["confidence"], number % 4 > 0, chance.randint(1, 3000)),
            start + timedelta(seconds=60 * number),
        )


def _write_rows(file: Any, into: str, rows: Any) -> None:
    batch: list[str] = []
    for row in rows:
        batch.append("(" + ", ".join(map(_literal, row)) + ")")
        if len(batch) == BATCH_ROWS:
            file.write(f"INSERT INTO {into} VALUES\n{','.join(batch)};\n")
            batch = []


def _literal(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(int(value) if isinstance(value, bool) else value)
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _client(sql: str = "", *, stdin: Any = None, database: str = "") -> None:
    from core.configuration import databases

    config = databases.database(DATABASE_URL, "UTC", read_timeout=None)
    command = ["mariadb", "--default-character-set=utf8mb4", f"-h{config['HOST']}"]
    command += [f"-P{config['PORT'] or 3306}", f"-u{config['USER']}"]
    environment = os.environ | {"MYSQL_PWD": config["PASSWORD"]}
    command += ["-e", sql] if sql else [database]
    subprocess.run(command, stdin=stdin, env=environment, check=True)


def _load(dump: Path) -> None:
    with dump.open("rb") as file:
        _client(stdin=file, database=NAME)


def _manage(*arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=processes.ROOT, check=True, stdout=subprocess.DEVNULL)


def _timed(action: Any) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def _served(answers: dict[str, Answer], port: int) -> int:
    """How many hashes are answered as the older service did."""
    hashes = list(answers)
    served = 0
    for start in range(0, len(hashes), HASHES_AT_ONCE):
        asked = hashes[start : start + HASHES_AT_ONCE]
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1/classify/batch-check-cache",
            json.dumps({"image_hashes": asked}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            items = json.load(response)["items"]
        served += sum(item["data"] == answers[item["image_hash"]] for item in items)
    return served


if __name__ == "__main__":
    main()
