"""Examines further database servers: those listed in DATABASE_URL, a Galera cluster, a replica."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import Error, connection, connections

from core.database import errors as database_errors
from operations.doctor.findings import Finding, ok, problem, warning
from stats.routers import STATS_DB_ALIAS

LAG_SECONDS = 60
# The share of time that writes wait for a slow node.
PAUSED_SHARE = 0.1
# With fewer than three, the rest has no majority after a failure.
LEAST_NODES = 3


def examine_servers() -> Iterator[Finding]:
    """Findings on further servers; none if there is only one."""
    for host, port in connection.settings_dict["OPTIONS"].get("hosts", []):
        yield _host(host, port)
    yield from _galera()
    if STATS_DB_ALIAS in settings.DATABASES:
        yield _replica()


def _host(host: str, port: int) -> Finding:
    """Whether this host could take over."""
    one = connections["default"].copy()
    one.settings_dict = one.settings_dict | {
        "OPTIONS": one.settings_dict["OPTIONS"] | {"hosts": [(host, port)]},
        "HOST": host,
        "PORT": port,
    }
    subject = f"database server {host}:{port}"
    try:
        one.ensure_connection()
    except Error as error:
        code = error.args[0] if error.args else None
        return warning(
            subject,
            f"It cannot take over ({code}).",
            database_errors.advice(error) or "Check that it runs, and DATABASE_URL.",
        )
    finally:
        one.close()
    return ok(subject, "It responds and accepts writes.")


def _galera() -> Iterator[Finding]:
    status = _status("SHOW GLOBAL STATUS LIKE 'wsrep_%'")
    if status.get("wsrep_connected", "OFF") == "OFF":
        return
    size, state = int(status["wsrep_cluster_size"]), status["wsrep_local_state_comment"]
    if status["wsrep_cluster_status"] != "Primary" or status["wsrep_ready"] != "ON":
        yield problem(
            "cluster",
            f"This node is cut off from the majority ({status['wsrep_cluster_status']}).",
            "Bring the other nodes back, or bootstrap one: see docs/scaling.md.",
        )
    elif state != "Synced":
        yield warning("cluster", f"This node is {state}.", "Wait until it is Synced.")
    elif size < LEAST_NODES:
        yield warning(
            "cluster",
            f"It has {size} node(s): when one fails, the rest may stop.",
            "Bring the other nodes back, or add an arbitrator (garbd).",
        )
    else:
        yield ok("cluster", f"{size} nodes; this one is Synced.")
    paused = float(status.get("wsrep_flow_control_paused", 0))
    if paused > PAUSED_SHARE:
        yield warning(
            "cluster",
            f"Writing waited for a slow node {paused:.0%} of the time.",
            "Find the node whose wsrep_local_recv_queue_avg is highest.",
        )


def _status(sql: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {str(name).lower(): str(value) for name, value in cursor.fetchall()}


def _replica() -> Finding:
    subject, what = "replica for statistics", "STATS_DATABASE_URL"
    try:
        seconds = _seconds_behind()
    except Error as error:
        code = error.args[0] if error.args else None
        return warning(
            subject,
            f"Its lag cannot be determined ({code}).",
            f"Check {what}, and GRANT REPLICA MONITOR ON *.* to its user.",
        )
    if seconds is None:
        return warning(subject, "It does not replicate.", "Check SHOW REPLICA STATUS on it.")
    if seconds > LAG_SECONDS:
        return warning(
            subject,
            f"It is {seconds} s behind, and so are the figures.",
            f"Give it more resources, or unset {what} until then.",
        )
    return ok(subject, f"It is {seconds} s behind.")


def _seconds_behind() -> int | None:
    """The replica's lag in seconds; None if it does not replicate."""
    replica: Any = connections[STATS_DB_ALIAS]
    with replica.cursor() as cursor:
        cursor.execute("SHOW SLAVE STATUS")  # supported by MariaDB, and by MySQL up to 8.3
        row = cursor.fetchone()
        if row is None:
            return None
        names = [column[0] for column in cursor.description]
    behind = dict(zip(names, row, strict=True))["Seconds_Behind_Master"]
    return None if behind is None else int(behind)
