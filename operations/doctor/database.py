"""Examines the database: reachable, configured, migrated, writable, and with valid rows."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from classification.legacy import rows as older_rows
from classification.models import CacheEntry, RequestLog
from classification.monitoring import task_runs
from core.database import errors as database_errors
from operations import adoption
from operations.doctor.cluster import examine_servers
from operations.doctor.findings import Finding, Options, ok, problem, warning
from stats.rollup.rebuild import count_days

# For scheduled commands and operators.
SPARE_CONNECTIONS = 10
CLOCK_SECONDS = 5
PURGE_DAYS = 3
FIGURES_DAYS = 7


def examine_database(options: Options) -> Iterator[Finding]:
    """All findings on the database; only the first one if it is unreachable."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        code = error.args[0] if error.args else None
        yield problem(
            "database",
            f"It is not responding ({code}).",
            database_errors.advice(error) or "Check DATABASE_URL, and that its server is running.",
        )
        return
    if connection.vendor == "mysql":
        yield from _server(options)
        yield from examine_servers()
    else:
        yield ok("database", "SQLite, for one host.")
    migrations = _migrations()
    yield migrations
    if migrations.level == "ok":
        yield _writing()
        yield from _older_rows()
        yield from _timers()
        yield _figures()


def _server(options: Options) -> Iterator[Finding]:
    name = "@@version, @@max_connections, @@hostname, @@datadir"
    version, connections, host, folder = _asked(f"SELECT {name}")
    yield ok("database", f"{version} answers.")
    with connection.cursor() as cursor:
        narrow = adoption.narrow_tables(connection, cursor)
    if narrow:
        yield problem(
            "characters",
            f"Emoji cannot be stored in {', '.join(narrow)}: they are not in utf8mb4.",
            "Run manage.py migrate, which converts them.",
        )
    pool = settings.DATABASES["default"]["OPTIONS"]["pool_size"]
    needed = pool * settings.WEB_WORKERS + SPARE_CONNECTIONS
    if needed > connections:
        yield warning(
            "connections",
            f"One host may need {needed} connections, but the server allows {connections}.",
            f"Set max_connections to at least {needed} for each host, or lower WEB_WORKERS.",
        )
    else:
        hosts = (connections - SPARE_CONNECTIONS) // (pool * settings.WEB_WORKERS)
        yield ok("connections", f"{connections} allowed, enough for {hosts} host(s) like this one.")
    yield _clock()
    if host == _this_host() and Path(folder).is_dir():
        yield free_space(f"disk of the database ({folder})", Path(folder), options.free_mb)


def _clock() -> Finding:
    server = _asked("SELECT UTC_TIMESTAMP(6)")[0].replace(tzinfo=ZoneInfo("UTC"))
    seconds = abs((timezone.now() - server).total_seconds())
    if seconds > CLOCK_SECONDS:
        return warning(
            "clock",
            f"The database's clock is {seconds:.0f} s off this host's.",
            "Synchronize both with a time service (systemd-timesyncd, chrony).",
        )
    return ok("clock", "The database's clock agrees with this host's.")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{m.app_label}.{m.name}" for m, _backwards in plan[:5])
        return problem(
            "migrations",
            f"{len(plan)} are not applied: {names}{' …' if len(plan) > 5 else ''}",
            "Run manage.py migrate; on an older installation's database, manage.py adopt --check.",
        )
    return ok("migrations", "All are applied.")


def _writing() -> Finding:
    try:
        adoption.try_writing()
    except DatabaseError as error:
        return problem(
            "writing",
            f"An entry and its log row cannot be written ({error.args[0] if error.args else '?'}).",
            "Run manage.py adopt --check to find columns in the way, and check the user's rights.",
        )
    return ok("writing", "An entry and its log row can be written (tested and rolled back).")


def _older_rows() -> Iterator[Finding]:
    kinds = older_rows.impossible_entries(CacheEntry, timezone.now())
    found = [f"{count} with {kind.name}" for kind in kinds if (count := kind.rows.count())]
    if found:
        yield warning(
            "entries",
            f"Some are impossible: {'; '.join(found)}.",
            "Run manage.py adopt --drop-impossible, or correct them in the admin.",
        )
    else:
        yield ok("entries", "No entry is impossible.")


def _timers() -> Iterator[Finding]:
    [rolling_up] = (run for run in task_runs.last_runs() if run.task.name == "roll_up_stats")
    if rolling_up.is_late:
        last = rolling_up.ended_at
        when = f"last ran at {timezone.localtime(last):%Y-%m-%d %H:%M}" if last else "has never run"
        yield warning("timers", f"roll_up_stats {when}.", "Run it from a timer, every minute.")
    else:
        yield ok("timers", "roll_up_stats has run recently.")
    oldest = RequestLog.objects.order_by("pk").values_list("created_at", flat=True).first()
    days = (timezone.now() - oldest).days if oldest else 0
    if days > settings.LOG_RETENTION_DAYS + PURGE_DAYS:
        yield warning(
            "timers",
            f"The log goes back {days} days; LOG_RETENTION_DAYS is {settings.LOG_RETENTION_DAYS}.",
            "Run purge_request_log from a timer, daily.",
        )


def _figures() -> Finding:
    today = timezone.localdate()
    counts = count_days(today - timedelta(days=FIGURES_DAYS - 1), today)
    missing = {count.day: count.missing for count in counts if count.missing}
    if missing:
        days = ", ".join(map(str, missing))
        return warning(
            "figures",
            f"{sum(missing.values())} rows of the log or the ledger are missing from the "
            f"statistics: {days}.",
            "Run manage.py rebuild_stats; the service may keep running.",
        )
    return ok("figures", f"They match the log and the ledger for the last {FIGURES_DAYS} days.")


def free_space(subject: str, folder: Path, least_mb: int) -> Finding:
    """Check that a disk has `least_mb` megabytes free; warn below twice that."""
    free = shutil.disk_usage(folder).free // 1024**2
    advice = "Free some space, or move it to a larger disk."
    if free < least_mb:
        return problem(subject, f"Only {free} MB are free.", advice)
    if free < 2 * least_mb:
        return warning(subject, f"{free} MB are free.", advice)
    return ok(subject, f"{free} MB are free.")


def _asked(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def _this_host() -> str:
    return Path("/etc/hostname").read_text().strip() if Path("/etc/hostname").exists() else ""
