"""The one way through: look the hash up; of all who ask, one asks the model; store; log."""

import threading
from collections.abc import Iterable

from django.conf import settings

from classification import flights, known_photos, new_photos, photos
from classification.errors import Refusal
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
    return check_cache_many(image_hashes=[image_hash], caller=caller).get(image_hash)


def check_cache_many(
    *, image_hashes: Iterable[str], caller: Caller
) -> dict[str, Classification]:
    """The known answers by hash, each counted as a hit; one query at most."""
    found = known_photos.find_many(image_hashes)
    for photo in found.values():
        recorder.add(caller.hit(photo))
    return {image_hash: photo.classification for image_hash, photo in found.items()}


def classify(*, upload: bytes, given_hash: str | None, caller: Caller) -> Outcome:
    """Classify an upload, from the cache when its bytes are known.

    `given_hash` is the client's own SHA-256 in lower case, which must be the upload's. Raises
    Refusal, having logged the request with its code, and DatabaseError.
    """
    image_hash = ""
    try:
        if len(upload) > settings.MAX_IMAGE_SIZE_MB * 1024 * 1024:
            raise Refusal("image_too_large")
        image_hash = photos.digest(upload)
        if given_hash and given_hash != image_hash:
            raise Refusal("hash_mismatch")
        if known := known_photos.find(image_hash):
            recorder.add(caller.hit(known, len(upload)))
            return Outcome(known.classification, "cache")
        landing, led = _join(upload, image_hash, caller)
    except Refusal as refusal:
        recorder.add(caller.refused(image_hash, len(upload), refusal.code))
        raise
    if not led or landing.is_shared:
        return _shared(landing, image_hash, len(upload), caller)
    return _unpack(landing)


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
