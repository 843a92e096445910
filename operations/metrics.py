"""Prometheus metrics of this host's processes.

Updated in batches, from the rows the write-behind buffer writes, at no cost to hits. The processes
of a server share files in PROMETHEUS_MULTIPROC_DIR, which prometheus_client reads on import:
`serve` sets it, and only a server's workers and the view import this module.
"""

import os
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.dispatch import receiver
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from classification.models import ModelCall, ServerProcess
from classification.pipeline.request_log import LogRow
from classification.providers.causes import CAUSES
from classification.signals import calls_logged, process_observed, requests_logged
from clients.directory import directory

REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
CALL_BUCKETS = (0.25, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 60)


class BatchHistogram(Histogram):
    """A histogram that can add many equal observations at once."""

    def observe_many(self, seconds: float, count: int) -> None:
        self._sum.inc(seconds * count)
        self._buckets[bisect_left(self._upper_bounds, seconds)].inc(count)


REQUESTS = Counter(
    "classifier_requests",
    "Photos requested; source is refused for those without an answer.",
    ["source", "outcome"],
)
APP_REQUESTS = Counter("classifier_app_requests", "The same by app.", ["app", "outcome"])
REQUEST_DURATION = BatchHistogram(
    "classifier_request_duration_seconds",
    "Time to answer a photo, by source.",
    ["source"],
    buckets=REQUEST_BUCKETS,
)
SAVED = Counter("classifier_saved_yuan", "What cache hits would have cost.")
CALLS = Counter(
    "classifier_model_calls",
    "Requests to the paid model, including retries.",
    ["model", "outcome", "billed"],
)
CALL_DURATION = Histogram(
    "classifier_model_call_duration_seconds",
    "Duration of a request to the paid model.",
    ["model"],
    buckets=CALL_BUCKETS,
)
COST = Counter(
    "classifier_model_cost_yuan", "Cost of calls to the paid model.", ["model", "billed"]
)
PROCESSES = Gauge("classifier_processes", "Living processes.", multiprocess_mode="livesum")
CALLS_IN_FLIGHT = Gauge(
    "classifier_model_calls_in_flight", "Calls in progress.", multiprocess_mode="livesum"
)
PROCESSES_PAUSED = Gauge(
    "classifier_processes_resting",
    "Processes whose circuit breaker is open, by cause; cause other may resolve by itself.",
    ["cause"],
    multiprocess_mode="livesum",
)
ROWS_WAITING = Gauge(
    "classifier_log_rows_waiting", "Rows waiting for the database.", multiprocess_mode="livesum"
)
ROWS_DROPPED = Gauge(
    "classifier_log_rows_dropped",
    "Rows lost since the processes started because the database was down for too long.",
    multiprocess_mode="sum",
)


@receiver(requests_logged)
def count_requests(rows: Sequence[LogRow], **_: Any) -> None:
    tally = Tally((row.source, row.outcome, row.processing_time_ms) for row in rows)
    for (source, outcome, milliseconds), count in tally.items():
        source = source or "refused"
        REQUESTS.labels(source, outcome).inc(count)
        REQUEST_DURATION.labels(source).observe_many(milliseconds / 1000, count)
    by_app = Tally((row.app_id, row.outcome) for row in rows)
    for (app_id, outcome), count in by_app.items():
        APP_REQUESTS.labels(directory.name(app_id), outcome).inc(count)
    SAVED.inc(float(sum((row.saved for row in rows), Decimal(0))))


@receiver(calls_logged)
def count_calls(calls: Iterable[ModelCall], **_: Any) -> None:
    for call in calls:
        count_call(call)


def count_call(call: ModelCall) -> None:
    CALLS.labels(call.model, call.outcome, call.billed).inc()
    CALL_DURATION.labels(call.model).observe(call.duration_ms / 1000)
    COST.labels(call.model, call.billed).inc(float(call.cost))


@receiver(process_observed)
def show_process(state: ServerProcess, **_: Any) -> None:
    PROCESSES.set(1)
    CALLS_IN_FLIGHT.set(state.calls_in_flight)
    for cause in CAUSES:
        is_paused = bool(state.pause_code) and state.pause_cause == cause
        PROCESSES_PAUSED.labels(cause or "other").set(is_paused)
    ROWS_WAITING.set(state.rows_waiting)
    ROWS_DROPPED.set(state.rows_dropped)


def exposition() -> bytes:
    """The metrics of all processes of this server, in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
