"""The database: reachable, set up right, migrated, and with rows that can be written and served."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from classification.models import CacheEntry, RequestLog
from classification.takeover import rows as older_rows
from operations import adoption
from operations.doctor.findings import Finding, Options, ok, problem, warning
from stats.models import CacheTotals

# What connecting fails with, by MySQL's number.
ADVICE = {
    1044: "Let the user of DATABASE_URL use this database: GRANT ALL ON name.* TO user.",
    1045: "Check the user and the password in DATABASE_URL.",
    1049: "Make the database: CREATE DATABASE name CHARACTER SET utf8mb4.",
    1040: "Raise max_connections on the server, or lower WEB_WORKERS.",
    2002: "Start the server, or check the host and the port in DATABASE_URL.",
    2003: "Start the server, or check the host and the port in DATABASE_URL.",
    2005: "Check the host in DATABASE_URL.",
}
# Staff and timers connect too.
SPARE_CONNECTIONS = 10
CLOCK_SECONDS = 5
TIMER_MINUTES = 10
PURGE_DAYS = 3


def examine_database(options: Options) -> Iterator[Finding]:
    """Everything that can be asked of the database; only the first finding if it is away."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        code = error.args[0] if error.args else None
        yield problem(
            "database",
            f"It does not answer ({code}).",
            ADVICE.get(code or 0, "Check DATABASE_URL, and that its server runs."),
        )
        return
    if connection.vendor == "mysql":
        yield from _server(options)
    else:
        yield ok("database", "SQLite, for one host.")
    migrations = _migrations()
    yield migrations
    if migrations.level == "ok":
        yield _writing()
        yield from _older_rows()
        yield from _timers()


def _server(options: Options) -> Iterator[Finding]:
    name = "@@version, @@character_set_database, @@max_connections, @@hostname, @@datadir"
    version, charset, connections, host, folder = _asked(f"SELECT {name}")
    yield ok("database", f"{version} answers.")
    if charset != "utf8mb4":
        yield warning(
            "database",
            f"New tables are made in {charset}, which cannot hold every character.",
            "ALTER DATABASE name CHARACTER SET utf8mb4.",
        )
    pool = settings.DATABASES["default"]["OPTIONS"]["pool_size"]
    needed = pool * settings.WEB_WORKERS + SPARE_CONNECTIONS
    if needed > connections:
        yield warning(
            "connections",
            f"One host may need {needed} connections; the server allows {connections}.",
            f"Set max_connections to at least {needed} for each host, or lower WEB_WORKERS.",
        )
    else:
        hosts = (connections - SPARE_CONNECTIONS) // (pool * settings.WEB_WORKERS)
        yield ok("connections", f"{connections}, enough for {hosts} host(s) like this one.")
    yield _clock()
    if host == _this_host() and Path(folder).is_dir():
        yield free_space(f"disk of the database ({folder})", Path(folder), options.free_mb)


def _clock() -> Finding:
    server = _asked("SELECT UTC_TIMESTAMP(6)")[0].replace(tzinfo=UTC)
    seconds = abs((datetime.now(UTC) - server).total_seconds())
    if seconds > CLOCK_SECONDS:
        return warning(
            "clock",
            f"The database's clock is {seconds:.0f} s beside this host's.",
            "Let a time service (systemd-timesyncd, chrony) keep both.",
        )
    return ok("clock", "The database's agrees with this host's.")


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
            "See manage.py adopt --check for columns that stand in the way, and the user's rights.",
        )
    return ok("writing", "An entry and its log row can be written (tried, and taken back).")


def _older_rows() -> Iterator[Finding]:
    kinds = older_rows.impossible_entries(CacheEntry, timezone.now())
    found = [f"{count} with {kind.name}" for kind in kinds if (count := kind.rows.count())]
    if found:
        yield warning(
            "entries",
            f"Some could never have been right: {'; '.join(found)}.",
            "Run manage.py adopt --drop-impossible, or correct them in the admin.",
        )
    else:
        yield ok("entries", "All could be right.")


def _timers() -> Iterator[Finding]:
    last = CacheTotals.objects.values_list("counted_at", flat=True).first()
    minutes = (timezone.now() - last).total_seconds() / 60 if last else None
    if minutes is None or minutes > TIMER_MINUTES:
        when = f"last ran {minutes:.0f} minutes ago" if minutes else "has never run"
        yield warning("timers", f"roll_up_stats {when}.", "Run it every minute by a timer.")
    else:
        yield ok("timers", "roll_up_stats has run lately.")
    oldest = RequestLog.objects.order_by("pk").values_list("created_at", flat=True).first()
    days = (timezone.now() - oldest).days if oldest else 0
    if days > settings.LOG_RETENTION_DAYS + PURGE_DAYS:
        yield warning(
            "timers",
            f"The log goes back {days} days; LOG_RETENTION_DAYS is {settings.LOG_RETENTION_DAYS}.",
            "Run purge_request_log daily by a timer.",
        )


def free_space(subject: str, folder: Path, least_mb: int) -> Finding:
    """Whether a disk has so many megabytes left, twice as many being well."""
    free = shutil.disk_usage(folder).free // 1024**2
    advice = "Make room, or move it to a larger disk."
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
