"""Several photos of one request, classified side by side."""

import contextvars
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import monotonic

from django.conf import settings

from classification import images
from classification.pipeline import classify
from classification.pipeline.request_log import ClientInfo, Result
from core.database.connections import release_connection
from core.sharing import cpu_gate

_workers = ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="batch")


@dataclass(frozen=True, slots=True)
class BatchItem:
    """The outcome of one photo of a batch: its result, or the exception it ended with."""

    result: Result | Exception
    image_hash: str
    processing_time_ms: int


def classify_many(
    *, uploads: Sequence[bytes], given_hashes: Sequence[str | None], client: ClientInfo
) -> list[BatchItem]:
    """Classify each upload as classify.classify_upload() does, in order; a failure does not affect
    the others."""
    futures = [
        _workers.submit(contextvars.copy_context().run, _classify_one, upload, given, client)
        for upload, given in zip(uploads, given_hashes, strict=True)
    ]
    with cpu_gate.released():
        return [future.result() for future in futures]


def _classify_one(upload: bytes, given_hash: str | None, client: ClientInfo) -> BatchItem:
    client = replace(client, started=monotonic())
    result: Result | Exception
    try:
        with cpu_gate.hold():
            result = classify.classify_upload(upload=upload, given_hash=given_hash, client=client)
    except Exception as error:
        result = error
    finally:
        release_connection()
    return BatchItem(result, images.digest(upload), client.elapsed_ms)
