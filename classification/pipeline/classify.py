"""Classifies a photo, from top to bottom: check, look up, single flight, ask the model, log."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import NamedTuple

from django.conf import settings

from classification import images, prompts
from classification.billing import app_limits
from classification.billing.daily_limit import LimitReached
from classification.choices import DAILY_LIMIT, OK, Source
from classification.errors import ServiceError, error_code
from classification.fair_budget import UPLOAD_THREADS, FairBudget
from classification.images import Photo
from classification.images.uploads import prepare_upload
from classification.model_output import Classification
from classification.models import STAFF_ID, CacheEntry
from classification.pipeline import answer_cache, declared_hashes, leases
from classification.pipeline.answer_cache import CachedAnswer
from classification.pipeline.answer_entries import entry_of
from classification.pipeline.answer_writes import AnswerWrite
from classification.pipeline.fallback import with_fallback_answer
from classification.pipeline.model_call import ModelReply, ask_model
from classification.pipeline.request_log import (
    ClientInfo,
    LogRow,
    Result,
    hit_rows,
    log_row,
)
from classification.pipeline.single_flight import SingleFlight
from classification.pipeline.write_behind import buffer
from classification.prompts import Prompt
from classification.providers.base import Answer, ProviderError
from clients.quotas import QuotaExceeded
from core.database.connections import release_connection

# The model's time limit, plus time to decode and to take over the lease of a dead process.
FLIGHT_SECONDS = settings.LLM_TIMEOUT + 10
QUOTA_EXCEEDED = "quota_exceeded"
# A client that has its share of threads is not refused at once: who tries again at once, many times
# over, would take the processors that others' photos need. But few threads wait for that.
MAX_WAITING, PATIENCE_SECONDS = 16, 1.0


class Miss(NamedTuple):
    """A photo that was looked up in vain, and when (seconds of the monotonic clock)."""

    image_hash: str
    looked_at: float


_single_flight: SingleFlight[Result] = SingleFlight()
_uploads = FairBudget(UPLOAD_THREADS, max_waiting=MAX_WAITING)


def check_cache(*, image_hash: str, client: ClientInfo) -> Classification | None:
    """The answer for a hash, logged as a hit; None if it is unknown. Raises DatabaseError."""
    known = answer_cache.get(image_hash) or declared_hashes.find(image_hash, client)
    return log_hit(known, client) if known else None


def log_hit(
    known: CachedAnswer, client: ClientInfo, image_size: int | None = None
) -> Classification:
    """Log a hit on `known` and return its classification; `image_size` is the upload's in bytes."""
    _log(client, hit_rows(client, [known], image_size))
    return known.classification


def check_cache_many(
    *, image_hashes: Iterable[str], client: ClientInfo
) -> dict[str, Classification]:
    """The answers that are known, by hash, each logged as a hit. Raises DatabaseError."""
    wanted = list(image_hashes)
    known = answer_cache.get_many(wanted)
    unknown = [image_hash for image_hash in wanted if image_hash not in known]
    known |= declared_hashes.find_many(unknown, client)
    hits = hit_rows(client, [known[image_hash] for image_hash in wanted if image_hash in known])
    _log(client, hits)
    return {image_hash: answer.classification for image_hash, answer in known.items()}


def classify_upload(
    *, upload: bytes, given_hash: str | None, client: ClientInfo, miss: Miss | None = None
) -> Result:
    """Classify an upload, from the cache if its bytes are known; the result has a classification.

    `given_hash` is the client's own: the SHA-256 of these bytes, or of the original file that they
    are a smaller copy of. A `miss` of these bytes saves looking them up again. Raises ServiceError
    or DatabaseError after logging the failed request.
    """
    image_hash, known = images.digest(upload), None
    try:
        _check_hash(image_hash, given_hash)
        if miss is None or miss.image_hash != image_hash:
            miss = Miss(image_hash, time.monotonic())
            known = answer_cache.get(image_hash)
        result = Result.hit(known) if known else _classify_new_photo(upload, miss, client)
    except Exception as error:
        log_failure(error_code(error), client, image_hash, len(upload))
        raise
    if not result.is_logged:
        _log(client, [log_row(client, result, image_hash, len(upload))])
    result.answer()
    if given_hash and given_hash.lower() != image_hash and result.cached:
        declared_hashes.remember(given_hash, image_hash, client)
    return replace(result, image_hash=image_hash)


def log_failure(
    code: str, client: ClientInfo, image_hash: str = "", image_size: int | None = None
) -> None:
    """Log a request that failed with the error `code`."""
    _log(client, [log_row(client, Result.failed(code), image_hash, image_size)])


def _log(client: ClientInfo, rows: Sequence[LogRow]) -> None:
    if not client.is_staff_page:
        buffer.add(rows)


def _check_hash(image_hash: str, given_hash: str | None) -> None:
    if given_hash and not images.HASH.fullmatch(given_hash):
        raise ServiceError("invalid_hash")
    is_other = given_hash and given_hash.lower() != image_hash
    if is_other and settings.DECLARED_HASHES == "refuse":
        raise ServiceError("hash_mismatch")


def _classify_new_photo(upload: bytes, miss: Miss, client: ClientInfo) -> Result:
    """The result for an unknown photo; of concurrent uploads of it, one asks the model."""
    release_connection()
    with _uploads.hold(client.requester.who, 1, patience=PATIENCE_SECONDS) as held:
        while True:
            result, is_leader = _single_flight.run(
                miss.image_hash,
                lambda: _lead(upload, miss, client, is_one_of_many=held > 1),
                timeout=FLIGHT_SECONDS,
            )
            if is_leader:
                return result
            if result.failure != QUOTA_EXCEEDED:  # only the leader's quota is exhausted
                return result.for_another_request()


def _lead(upload: bytes, miss: Miss, client: ClientInfo, *, is_one_of_many: bool) -> Result:
    """Ask the model on behalf of this process, unless another process is asking or has just
    asked."""
    photo = prepare_upload(upload, client.requester.who, is_one_of_many=is_one_of_many)
    prompt, lease = _acquire_lease(miss)
    if isinstance(lease, Result):
        return lease if lease.classification else with_fallback_answer(photo, lease)
    try:
        return _ask_and_store(photo, prompt, lease, client)
    except BaseException as error:
        leases.release_without_entry(lease, ending=error_code(error))
        raise


def _acquire_lease(miss: Miss) -> tuple[Prompt, str | Result]:
    """The current prompt and a lease to ask with it, or another process's result."""
    while True:
        prompt = prompts.current()
        try:
            return prompt, leases.acquire(
                miss.image_hash,
                prompt_version=prompt.version,
                looked_at=miss.looked_at,
                timeout=FLIGHT_SECONDS,
            )
        except leases.PromptChanged:
            prompts.invalidate()


def _ask_and_store(photo: Photo, prompt: Prompt, lease: str, client: ClientInfo) -> Result:
    """Ask the model while holding the lease, and write the result in one transaction."""
    try:
        quota = app_limits.reserve(client.requester, prompt.text)
    except QuotaExceeded as refusal:
        leases.withdraw(lease)
        return Result.failed(QUOTA_EXCEEDED, refusal.retry_after)
    app_id = STAFF_ID if client.is_staff_page else client.app.id
    reply = ask_model(photo, prompt.text, prompt.version, client.request_id, app_id, quota)
    entry = None
    if isinstance(reply.outcome, ProviderError):
        result = _fail(reply, reply.outcome, lease)
    else:
        source = Source.LOCAL if reply.provider == "local" else Source.LLM
        result = Result(reply.outcome.classification, source)
        entry = _entry_to_keep(reply, reply.outcome, lease)
    result = replace(result, cost=reply.cost)
    log = log_row(client, result, photo.sha256, photo.size)
    kept = buffer.store(
        AnswerWrite(
            entry,
            log,
            reply.calls,
            lease,
            reply.reservation,
            quota,
            keeps_log=not client.is_staff_page,
        )
    )
    if kept:  # another writer's answer, if that one came first
        result = replace(result, classification=kept.classification, cached=kept)
    return replace(result, is_logged=True)


def _entry_to_keep(reply: ModelReply, answer: Answer, lease: str) -> CacheEntry | None:
    """The entry to cache; None for an answer below CACHE_MIN_CONFIDENCE."""
    entry = entry_of(reply, answer)
    if entry.confidence >= settings.CACHE_MIN_CONFIDENCE:
        return entry
    # Other processes learn of it before the answer is stored, which marks the lease as released.
    leases.release_without_entry(lease, ending=OK, answer=asdict(answer.classification))
    return None


def _fail(reply: ModelReply, error: ProviderError, lease: str) -> Result:
    """Publish the failure to other processes at once, then find a fallback answer."""
    if unreadable := reply.unreadable_answers:
        leases.release_unreadable(
            lease, unreadable, ending=error.code, prompt_version=reply.prompt_version
        )
    else:
        leases.release_without_entry(lease, ending=error.code)
    release_connection()
    reason = DAILY_LIMIT if isinstance(error, LimitReached) else error.cause
    return with_fallback_answer(reply.photo, Result.failed(error.code, error.retry_after, reason))
