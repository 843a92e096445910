"""Several photos of one request, classified side by side."""

import contextvars
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import monotonic

from django.conf import settings

from classification import flights, services, turns
from classification.outcomes import Caller, Outcome

_workers = ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="batch")


@dataclass(frozen=True, slots=True)
class BatchItem:
    """How one photo of a batch fared: its outcome, or the exception that refused it."""

    result: Outcome | Exception
    processing_time_ms: int


def classify_many(
    *, uploads: Sequence[bytes], given_hashes: Sequence[str | None], caller: Caller
) -> list[BatchItem]:
    """Classify each upload as services.classify() does; one that fails spoils no other."""
    futures = [
        _workers.submit(contextvars.copy_context().run, _classify_one, upload, given, caller)
        for upload, given in zip(uploads, given_hashes, strict=True)
    ]
    with turns.give_way():
        return [future.result() for future in futures]


def _classify_one(upload: bytes, given_hash: str | None, caller: Caller) -> BatchItem:
    caller = replace(caller, started=monotonic())
    result: Outcome | Exception
    try:
        with turns.turn():
            result = services.classify(upload=upload, given_hash=given_hash, caller=caller)
    except Exception as error:
        result = error
    finally:
        flights.release_connection()
    return BatchItem(result, caller.elapsed_ms)
