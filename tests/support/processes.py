"""Create rows of the server process table."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from classification.models import ServerProcess


def a_process(number: int, *, seen_seconds_ago: int = 3, **fields: Any) -> ServerProcess:
    now = timezone.now()
    defaults = {
        "token": f"{number}",
        "host": f"host-{number % 2}",
        "pid": number,
        "version": "1",
        "started_at": now - timedelta(hours=1),
        "seen_at": now - timedelta(seconds=seen_seconds_ago),
        "model_state": "available",
        "calls_in_flight": 0,
        "rows_waiting": 0,
        "rows_dropped": 0,
    }
    return ServerProcess.objects.create(**defaults | fields)


def paused(code: str, cause: str = "") -> dict[str, Any]:
    """The fields of a process that makes no calls to the model at the moment."""
    now = timezone.now()
    since = {"paused_since": now - timedelta(minutes=2), "paused_until": now}
    return {"model_state": "failing", "pause_code": code, "pause_cause": cause} | since
