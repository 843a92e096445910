"""The one way through: look the hash up; of all who ask, one asks the model; store; log."""

import threading
from collections.abc import Iterable

from django.conf import settings

from classification import flights, known_photos, new_photos, photos
from classification.errors import Refusal, error_code
from classification.new_photos import FLIGHT_SECONDS, Landing
from classification.outcomes import Caller, Outcome
from classification.recorder import recorder
from classification.results import Classification

# Threads that uploads never take: known photos are answered even while every model call hangs.
RESERVED_THREADS = 8

_flights: flights.Flights[Landing] = flights.Flights()
_uploads = threading.BoundedSemaphore(max(settings.WEB_THREADS - RESERVED_THREADS, 1))


def check_cache(*, image_hash: str, caller: Caller) -> Classification | None:
    """The known answer for a hash, counted as a hit; None when it is unknown."""
    photo = known_photos.find(image_hash)
    if photo is None:
        return None
    recorder.add(caller.hit(photo))
    return photo.classification


def check_cache_many(*, image_hashes: Iterable[str], caller: Caller) -> dict[str, Classification]:
    """The known answers by hash, each counted as a hit; one query at most."""
    wanted = list(image_hashes)
    found = known_photos.find_many(wanted)
    for image_hash in wanted:
        if image_hash in found:
            recorder.add(caller.hit(found[image_hash]))
    return {image_hash: photo.classification for image_hash, photo in found.items()}


def classify(*, upload: bytes, given_hash: str | None, caller: Caller) -> Outcome:
    """Classify an upload, from the cache when its bytes are known.

    `given_hash` is the client's own SHA-256, which must be the upload's. Raises Refusal or
    DatabaseError, having logged the request with its code.
    """
    image_hash = photos.digest(upload)
    try:
        _check(upload, image_hash, given_hash)
        if known := known_photos.find(image_hash):
            recorder.add(caller.hit(known, len(upload)))
            return Outcome(known.classification, "cache")
        landing, led = _join(upload, image_hash, caller)
    except Exception as error:
        log_refusal(error_code(error), caller, image_hash, len(upload))
        raise
    if not led or landing.is_shared:
        return _shared(landing, image_hash, len(upload), caller)
    return _unpack(landing)


def log_refusal(
    code: str, caller: Caller, image_hash: str = "", image_size: int | None = None
) -> None:
    """Log a request that got no answer, for the reason `code`."""
    recorder.add(caller.refused(image_hash, image_size, code))


def _check(upload: bytes, image_hash: str, given_hash: str | None) -> None:
    if len(upload) > settings.MAX_IMAGE_SIZE_MB * 1024 * 1024:
        raise Refusal("image_too_large")
    if given_hash and not photos.HASH.fullmatch(given_hash):
        raise Refusal("invalid_hash")
    # The cache is shared: nobody may write a verdict under a hash that is not theirs.
    if given_hash and given_hash.lower() != image_hash:
        raise Refusal("hash_mismatch")


def _unpack(landing: Landing) -> Outcome:
    if landing.outcome is None:
        raise Refusal(landing.failure, retry_after=landing.retry_after)
    return landing.outcome


def _join(upload: bytes, image_hash: str, caller: Caller) -> tuple[Landing, bool]:
    """The landing of this photo's flight in this process, and whether this request led it."""
    flights.release_connection()
    if not _uploads.acquire(blocking=False):
        raise Refusal("model_busy")
    try:
        return _flights.join(
            image_hash,
            lambda: new_photos.classify(upload, image_hash, caller),
            timeout=FLIGHT_SECONDS,
        )
    finally:
        _uploads.release()


def _shared(landing: Landing, image_hash: str, image_size: int, caller: Caller) -> Outcome:
    """The answer of a flight that somebody else led, or its failure, logged for this request."""
    if landing.known:
        recorder.add(caller.hit(landing.known, image_size))
        return Outcome(landing.known.classification, "cache")
    if landing.outcome:
        recorder.add(caller.answered(image_hash, image_size, landing.outcome))
    else:
        recorder.add(caller.refused(image_hash, image_size, landing.failure))
    return _unpack(landing)
