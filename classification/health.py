"""Whether the service can answer, without asking the paid model."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection

from classification import configured, flights
from classification.recorder import recorder

DATABASE_SECONDS = 2.0
HEALTHY = "healthy"

# One at a time: a silent database holds one thread, however often it is asked for.
_prober = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")


@dataclass(frozen=True, slots=True)
class Report:
    """`status` is "healthy" or "unhealthy"; `details` are the other fields of /health."""

    status: str
    details: dict[str, Any]


def report() -> Report:
    """The state of the database, of the model and of the rows that wait to be written."""
    database = _database()
    model = model_state()
    healthy = database == "connected" and model == "available"
    return Report(
        HEALTHY if healthy else "unhealthy",
        {
            "database": database,
            "model_api": model,
            "log_rows_waiting": recorder.waiting,
            "log_rows_dropped": recorder.dropped,
        },
    )


def model_state() -> str:
    """available, not_configured or failing."""
    provider = configured.provider()
    if provider is None:
        return "not_configured"
    return provider.status.state


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
    except DatabaseError:
        return False
    finally:
        flights.release_connection()
    return True
