"""What Prometheus reads: counts of this host's processes, from their start on.

Counted from what the recorder writes, in batches, so that a hit pays nothing. The processes of
a server share files in PROMETHEUS_MULTIPROC_DIR, which prometheus_client looks for when it is
imported: `serve` sets it, and only a server's workers and the view import this module.
"""

import os
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.dispatch import receiver
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from classification.models import ModelCall, ServerProcess
from classification.outcomes import LogRow
from classification.providers.base import CAUSES
from classification.signals import calls_logged, process_observed, requests_logged

REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
CALL_SECONDS = (0.25, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 60)


class BatchHistogram(Histogram):
    """A histogram that takes many equal observations in one step."""

    def observe_many(self, seconds: float, count: int) -> None:
        self._sum.inc(seconds * count)
        self._buckets[bisect_left(self._upper_bounds, seconds)].inc(count)


requests = Counter(
    "classifier_requests",
    "Photos asked about and answered or refused; source is refused where none answered.",
    ["source", "outcome"],
)
request_seconds = BatchHistogram(
    "classifier_request_duration_seconds",
    "Time until the answer of a photo, by its source.",
    ["source"],
    buckets=REQUEST_SECONDS,
)
saved = Counter("classifier_saved_yuan", "What hits would have cost.")
calls = Counter(
    "classifier_model_calls",
    "Requests to the paid model, retries included.",
    ["model", "outcome", "billed"],
)
call_seconds = Histogram(
    "classifier_model_call_duration_seconds",
    "Time of a request to the paid model.",
    ["model"],
    buckets=CALL_SECONDS,
)
cost = Counter("classifier_model_cost_yuan", "Cost of the calls.", ["model", "billed"])
processes = Gauge("classifier_processes", "Living processes.", multiprocess_mode="livesum")
in_flight = Gauge(
    "classifier_model_calls_in_flight", "Calls under way.", multiprocess_mode="livesum"
)
resting = Gauge(
    "classifier_processes_resting",
    "Processes whose breaker is open, by what an operator must mend; other may pass by itself.",
    ["cause"],
    multiprocess_mode="livesum",
)
rows_waiting = Gauge(
    "classifier_log_rows_waiting", "Rows that wait for the database.", multiprocess_mode="livesum"
)
rows_dropped = Gauge(
    "classifier_log_rows_dropped",
    "Rows lost since the processes started, as the database was away for too long.",
    multiprocess_mode="sum",
)


@receiver(requests_logged)
def count_requests(rows: Sequence[LogRow], **_: Any) -> None:
    tally = Tally((row.source, row.outcome, row.processing_time_ms) for row in rows)
    for (source, outcome, milliseconds), count in tally.items():
        source = source or "refused"
        requests.labels(source, outcome).inc(count)
        request_seconds.labels(source).observe_many(milliseconds / 1000, count)
    saved.inc(float(sum((row.saved for row in rows), Decimal(0))))


@receiver(calls_logged)
def count_calls(calls: Iterable[ModelCall], **_: Any) -> None:
    for call in calls:
        count_call(call)


def count_call(call: ModelCall) -> None:
    calls.labels(call.model, call.outcome, call.billed).inc()
    call_seconds.labels(call.model).observe(call.duration_ms / 1000)
    cost.labels(call.model, call.billed).inc(float(call.cost))


@receiver(process_observed)
def show_process(state: ServerProcess, **_: Any) -> None:
    processes.set(1)
    in_flight.set(state.calls_in_flight)
    for cause in CAUSES:
        rests = bool(state.rest_code) and state.rest_cause == cause
        resting.labels(cause or "other").set(rests)
    rows_waiting.set(state.rows_waiting)
    rows_dropped.set(state.rows_dropped)


def exposition() -> bytes:
    """The metrics of all processes that share this host's files, in Prometheus' text format."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return generate_latest(REGISTRY)
    for file in Path(folder).glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not _is_alive(pid):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
