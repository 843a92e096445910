"""What statistics cost their readers, with a million and with ten million rows in the log.

`python -m benchmarks.load.readers` needs MariaDB (BENCH_DATABASE_URL, as in `make bench`; it makes
and drops databases of its own beside it). A tenth of the rows is of today. Readers are timed
while 200 hits a second are written; so are the roll-up of today and, under the same hits, the
purge of half the log. It is evening in the time zone they run in, unless TIME_ZONE names
another. Prints a table and writes var/bench-readers.json.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import MySQLdb

from benchmarks.load import processes
from tests.support.ports import free_port

DATABASE_URL = os.environ.get("BENCH_DATABASE_URL", "mysql://root@localhost/classifier_bench")
SIZES = (1_000_000, 10_000_000)
DAYS = 90
HITS_PER_SECOND = 200
ROUNDS = 60
EVENING_HOUR = 18
# Of the 90 days that nine tenths of the rows are spread over: half of all rows are older.
PURGED_DAYS = 39
BATCH_ROWS = 250_000
ADDRESSES = {
    "today": "/api/v1/stats/today",
    "cache efficiency": "/api/v1/stats/cache-efficiency",
    "categories": "/api/v1/stats/category-distribution",
    "top users": "/api/v1/stats/users/top",
    "trend of 90 days": "/api/v1/stats/trend?days=90",
    "errors": "/api/v1/stats/errors",
    "range of 24 hours": "/api/v1/stats/range?last=24h",
    "range of 90 days": "/api/v1/stats/range?last=90d",
    "dashboard's page": "/?last=90d",
}
# Ids follow time, as they do in life; hashes, users and addresses are scattered.
FILL_LOG = """
INSERT INTO request_log (request_id, user_id, ip_address, image_hash, image_size, category,
    confidence, from_cache, processing_time_ms, created_at, outcome, source, cost, saved)
SELECT CONCAT('bench_', seq), CONCAT('u', FLOOR(POW(RAND(), 3) * %(users)s)),
    CONCAT('10.', FLOOR(RAND() * 4), '.', FLOOR(RAND() * 250), '.', FLOOR(RAND() * 250)),
    LPAD(HEX(FLOOR(RAND() * %(entries)s)), 64, '0'), 300000,
    ELT(1 + seq %% 8, 'pets', 'foods', 'other', 'idcard', 'screenshot', 'travel_scenery',
        'single_person', 'social_activities'),
    0.9, seq %% 4 > 0, IF(seq %% 4 > 0, 1 + FLOOR(RAND() * 9), 700 + FLOOR(RAND() * 2000)),
    %(start)s + INTERVAL (seq - %(first)s) * %(step)s MICROSECOND,
    IF(seq %% 83 = 0, 'model_timeout', 'ok'), IF(seq %% 4 > 0, 'cache', 'llm'),
    IF(seq %% 4 > 0, 0, 0.0008), IF(seq %% 4 > 0, 0.0008, 0)
FROM seq_{first}_to_{last}
"""
FILL_CALLS = """
INSERT INTO model_call (request_id, image_hash, model, outcome, billed, input_tokens,
    output_tokens, cost, duration_ms, provider_request_id, created_at)
SELECT request_id, image_hash, 'qwen-vl-plus', outcome, 'yes', 800, 60, 0.0008,
    processing_time_ms, '', created_at
FROM request_log WHERE source = 'llm' AND id > %(after)s
"""
FILL_CACHE = """
INSERT INTO image_classification_cache (image_hash, category, confidence, model_used, provider,
    prompt_version, hit_count, cost, created_at, last_hit_at, ask_again)
SELECT LPAD(HEX(seq), 64, '0'), 'pets', 0.9, 'qwen-vl-plus', 'aliyun', 1,
    1 + FLOOR(POW(RAND(), 8) * 4000), 0.0008, NOW(), NOW(), 0
FROM seq_0_to_{last}
"""

Figures = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the databases; those that are there are not filled again, and only read",
    )
    options = parser.parse_args()
    os.environ.setdefault("TIME_ZONE", evening_zone())
    found = {rows: _measure(rows, keep=options.keep) for rows in options.rows}
    processes.ROOT.joinpath("var/bench-readers.json").write_text(json.dumps(found, indent=2))
    small, large = found[options.rows[0]], found[options.rows[-1]]
    print(f"\n{'':34}{options.rows[0]:>14,}{options.rows[-1]:>14,}{'ratio':>8}")
    for name, figure in large.items():
        before = small.get(name)  # a database that was kept is neither filled nor purged
        ratio = figure / before if before else 0
        print(f"{name:34}{before or 0:>14.1f}{figure:>14.1f}{ratio:>8.2f}")


def evening_zone() -> str:
    """A zone in which today is neither young nor about to end, whenever this runs."""
    east = (EVENING_HOUR - datetime.now(timezone.utc).hour + 11) % 24 - 11
    return f"Etc/GMT{-east:+d}"  # whose names have the sign the other way round


def _measure(rows: int, *, keep: bool) -> Figures:
    figures: Figures = {}
    with database_of(rows, keep=keep) as (url, db, is_filled):
        os.environ["DATABASE_URL"] = url
        manage("migrate", "--verbosity=0")
        manage("collectstatic", "--noinput", "--verbosity=0")
        if not is_filled:
            fill(db, rows)
            figures["roll-up of the past, s"] = timed_roll_up()
            fill_today(db, rows // 10)
            figures["roll-up of today, s"] = timed_roll_up()
        port = free_port()
        with (
            processes.running(["manage.py", "serve"], port, APP_PORT=str(port), WEB_WORKERS="2"),
            hits(port, rows // 4),
        ):
            figures |= _readers(port)
            if not keep:
                figures |= _purge(db)
    return figures


@contextmanager
def database_of(rows: int, *, keep: bool) -> Iterator[tuple[str, Any, bool]]:
    """A database of its own: its address, a connection, and whether it is filled already."""
    from core.configuration.databases import database

    config = database(DATABASE_URL, "UTC", read_timeout=None)
    name = f"{config['NAME']}_readers_{rows}"
    login = {
        "host": config["HOST"],
        "port": int(config["PORT"] or 3306),
        "user": config["USER"],
        "password": config["PASSWORD"],
        "autocommit": True,
    }
    server = MySQLdb.connect(**login).cursor()
    is_filled = keep and bool(server.execute("SHOW DATABASES LIKE %s", (name,)))
    if not is_filled:
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        url = DATABASE_URL.rsplit("/", 1)[0] + f"/{name}"
        yield url, MySQLdb.connect(**login, database=name), is_filled
    finally:
        if not keep:
            server.execute(f"DROP DATABASE {name}")


def fill(db: Any, rows: int) -> None:
    """All but today's tenth of the log, the ledger and the cache, and somebody to read."""
    past = rows - rows // 10
    cursor = db.cursor()
    _set_time_zone(cursor)
    cursor.execute(FILL_CACHE.format(last=rows // 4))
    seconds = (DAYS - 1) * 86_400
    with _without_indexes(cursor, "request_log"), _without_indexes(cursor, "model_call"):
        _fill_log(cursor, 1, past, rows, f"CURRENT_DATE - INTERVAL {DAYS - 1} DAY", seconds)
    cursor.execute(
        "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, "
        "email, is_staff, is_active, date_joined) "
        "VALUES (1, '!', 1, 'bench', '', '', '', 1, 1, NOW())"
    )


def _set_time_zone(cursor: Any) -> None:
    offset = datetime.now(ZoneInfo(os.environ["TIME_ZONE"])).strftime("%z")
    cursor.execute("SET time_zone = %s", (f"{offset[:3]}:{offset[3:]}",))


@contextmanager
def _without_indexes(cursor: Any, table: str) -> Iterator[None]:
    """Millions of rows are written in a fraction of the time when they are indexed at the end."""
    cursor.execute(
        "SELECT index_name, GROUP_CONCAT(column_name ORDER BY seq_in_index) "
        "FROM information_schema.statistics WHERE table_schema = DATABASE() "
        "AND table_name = %s AND non_unique GROUP BY index_name",
        (table,),
    )
    indexes = cursor.fetchall()
    drops = ", ".join(f"DROP INDEX {name}" for name, _ in indexes)
    adds = ", ".join(f"ADD INDEX {name} ({columns})" for name, columns in indexes)
    cursor.execute(f"ALTER TABLE {table} {drops}")
    yield
    cursor.execute(f"ALTER TABLE {table} {adds}")


def fill_today(db: Any, rows: int) -> None:
    cursor = db.cursor()
    _set_time_zone(cursor)
    cursor.execute("SELECT TIMESTAMPDIFF(SECOND, CURRENT_DATE, NOW())")
    seconds = cursor.fetchone()[0]
    cursor.execute("SELECT MAX(id) FROM request_log")
    first = cursor.fetchone()[0] + 1
    _fill_log(cursor, first, first + rows - 1, 10 * rows, "CURRENT_DATE", seconds)


def _fill_log(cursor: Any, first: int, last: int, rows: int, start: str, seconds: int) -> None:
    step = seconds * 1_000_000 // (last - first + 1)
    for batch in range(first, last + 1, BATCH_ROWS):
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM request_log")
        after = cursor.fetchone()[0]
        sql = FILL_LOG.format(first=batch, last=min(batch + BATCH_ROWS - 1, last))
        numbers = {"users": rows // 40, "entries": rows // 4, "first": first, "step": step}
        cursor.execute(sql.replace("%(start)s", start), numbers)
        cursor.execute(FILL_CALLS, {"after": after})


def manage(*arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=processes.ROOT, check=True)


def timed_roll_up() -> float:
    started = time.monotonic()
    manage("roll_up_stats")
    return time.monotonic() - started


@contextmanager
def hits(port: int, entries: int) -> Iterator[None]:
    """HITS_PER_SECOND questions about known photos, until the block ends."""
    stopped = threading.Event()

    def ask() -> None:
        number, due = 0, time.monotonic()
        while not stopped.is_set():
            number = (number + 7919) % entries
            body = json.dumps({"image_hash": f"{number:064x}", "user_id": f"u{number % 5000}"})
            _fetch(port, "/api/v1/classify/check-cache", body.encode())
            due += 4 / HITS_PER_SECOND
            time.sleep(max(due - time.monotonic(), 0))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def _fetch(port: int, address: str, body: bytes | None = None, session: str = "") -> None:
    headers = {"Content-Type": "application/json"}
    if session:  # a question of an app has no cookie
        headers["Cookie"] = f"sessionid={session}"
    request = urllib.request.Request(f"http://127.0.0.1:{port}{address}", body, headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        content = response.read()
    assert b"login" not in response.url.encode(), response.url
    assert content


def _readers(port: int) -> Figures:
    """Milliseconds of each address, median and 95th percentile, read in turn."""
    session = _log_in()
    seconds: dict[str, list[float]] = {name: [] for name in ADDRESSES}
    for _ in range(ROUNDS):
        for name, address in ADDRESSES.items():
            started = time.monotonic()
            _fetch(port, address, session=session)
            seconds[name].append(time.monotonic() - started)
            time.sleep(0.1)
    code = "from benchmarks.load.readers import time_dashboard; time_dashboard()"
    seconds["dashboard's data"] = json.loads(_shell(code))
    figures = {}
    for name, values in seconds.items():
        figures[f"{name}, median ms"] = 1000 * statistics.median(values)
        figures[f"{name}, p95 ms"] = 1000 * statistics.quantiles(values, n=20)[-1]
    return figures


def time_dashboard() -> None:
    """Print the seconds of each reading of the dashboard's data, as JSON. To be run in Django,
    beside the servers: what a page adds to its data depends on the page."""
    from stats.dashboard.contents import read_dashboard
    from stats.ranges import TimeRange

    gc.collect()
    gc.freeze()  # as the servers do
    seconds = []
    for _ in range(ROUNDS):
        started = time.monotonic()
        wanted = TimeRange.named("90d")
        read_dashboard(wanted, wanted.step)
        seconds.append(time.monotonic() - started)
        time.sleep(0.1)
    print(json.dumps(seconds))


def _log_in() -> str:
    """The key of a session of the reader's, since pages take no token."""
    code = (
        "from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY\n"
        "from django.contrib.auth.models import User\n"
        "from django.contrib.sessions.backends.db import SessionStore\n"
        "session, user = SessionStore(), User.objects.get()\n"
        "session[SESSION_KEY] = user.pk\n"
        "session[BACKEND_SESSION_KEY] = 'django.contrib.auth.backends.ModelBackend'\n"
        "session[HASH_SESSION_KEY] = user.get_session_auth_hash()\n"
        "session.save()\n"
        "print(session.session_key)"
    )
    return _shell(code)


def _shell(code: str) -> str:
    """What the code prints, run in our Django."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    return subprocess.check_output(command, cwd=processes.ROOT, text=True).strip()


def _purge(db: Any) -> Figures:
    """Seconds to purge the older half, and the longest that a writer waited meanwhile."""
    return beside_a_writer(db, "purge of half", "purge_request_log", f"--older-than={PURGED_DAYS}d")


def beside_a_writer(db: Any, name: str, *command: str) -> Figures:
    """Seconds that a command takes, and the longest that somebody who writes into the log waited
    meanwhile."""
    longest, stopped = [0.0], threading.Event()

    def write() -> None:
        cursor = db.cursor()
        while not stopped.is_set():
            started = time.monotonic()
            cursor.execute(FILL_LOG.format(first=1, last=20).replace("%(start)s", "NOW()"), probe)
            longest[0] = max(longest[0], time.monotonic() - started)
            time.sleep(0.05)

    probe = {"users": 1000, "entries": 1000, "first": 1, "step": 1}
    writer = threading.Thread(target=write)
    writer.start()
    started = time.monotonic()
    manage(*command)
    seconds = time.monotonic() - started
    stopped.set()
    writer.join()
    return {f"{name}, s": seconds, "longest write meanwhile, ms": 1000 * longest[0]}


if __name__ == "__main__":
    main()
