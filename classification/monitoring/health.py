"""The health check, which makes no paid calls."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import Error, connection

from classification.monitoring import processes
from classification.pipeline.write_behind import buffer
from classification.providers import registry
from core.database.connections import release_connection

DATABASE_SECONDS = 2.0
HEALTHY = "healthy"

# One worker: a silent database blocks one thread, however often health is checked.
_prober = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")


@dataclass(frozen=True, slots=True)
class Health:
    """`status` is "healthy" or "unhealthy"; `details` are the other fields of /health."""

    status: str
    details: dict[str, Any]


def check() -> Health:
    """Check the database, the model and the write-behind buffer.

    While model calls are paused and a fallback answers, the service counts as healthy but degraded,
    so that apps do not switch the feature off.
    """
    database = _database()
    statuses = [provider.status for provider in registry.providers()]
    model = processes.model_state(statuses)
    if model == "failing" and settings.ON_MODEL_FAILURE != "error":
        model = "available"
    is_paused = any(status.pause for status in statuses)
    healthy = database == "connected" and model == "available"
    return Health(
        HEALTHY if healthy else "unhealthy",
        {
            "database": database,
            "model_api": model,
            "degraded": (is_paused and model == "available") or buffer.is_behind,
            "log_rows_waiting": buffer.waiting,
            "log_rows_dropped": buffer.dropped,
        },
    )


def _database() -> str:
    try:
        alive = _prober.submit(_answers).result(DATABASE_SECONDS)
    except FutureTimeout:
        alive = False
    return "connected" if alive else "disconnected"


def _answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    finally:
        release_connection()
    return True
