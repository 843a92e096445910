"""A photo that nobody has asked about yet: take the lease, ask the model, store the answer."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from classification import configured, flights, known_photos, photos, spending
from classification.categories import IDCARD, OTHER
from classification.flights import TakeOff
from classification.known_photos import KnownPhoto, Prompt
from classification.models import CacheEntry, ModelCall, Reservation
from classification.outcomes import OK, Caller, Outcome
from classification.photos import Photo
from classification.providers.base import Answer, Call, ProviderError
from classification.recorder import recorder
from classification.results import Classification
from classification.stored_answers import StoredAnswer

logger = logging.getLogger(__name__)

# The model's own time, and what decoding and taking a dead leader's flight over may take.
FLIGHT_SECONDS = settings.LLM_TIMEOUT + 10
# These are no failures of the model that something else could stand in for.
REFUSALS = {"image_rejected"}


@dataclass(frozen=True, slots=True)
class Landing:
    """How a flight ended: with an answer, or with the code of a failure and the seconds to wait
    before trying again. `known` is the entry that holds the answer, if it is kept; `is_shared`
    says that another process asked, and that its leader here has no log row yet."""

    outcome: Outcome | None
    failure: str = OK
    retry_after: int | None = None
    known: KnownPhoto | None = None
    is_shared: bool = False


def classify(upload: bytes, image_hash: str, caller: Caller) -> Landing:
    """Lead this process's flight for an upload that is not known.

    Raises Refusal for an upload that is no usable photo, and DatabaseError.
    """
    looked_at = time.monotonic()
    photo = photos.prepare(
        upload,
        allowed_formats=settings.ALLOWED_IMAGE_FORMATS,
        max_side=settings.LLM_IMAGE_MAX_SIDE,
    )
    prompt = known_photos.current_prompt()
    try:
        take_off = flights.take_off(image_hash, looked_at=looked_at, timeout=FLIGHT_SECONDS)
    except flights.FlightFailed as failed:
        outcome = _stand_in(photo, failed.code)
        return Landing(outcome, failed.code, is_shared=True)
    if not take_off.token:
        return _shared(take_off)
    try:
        return _ask(photo, prompt, take_off.token, caller)
    except BaseException:
        flights.ended(take_off.token, ending="internal_error")
        raise


def _shared(take_off: TakeOff) -> Landing:
    """The answer that another process's flight brought."""
    if take_off.known:
        outcome = Outcome(take_off.known.classification, "cache")
    else:
        outcome = Outcome(Classification(**take_off.answer or {}), "llm")
    return Landing(outcome, known=take_off.known, is_shared=True)


def _ask(photo: Photo, prompt: Prompt, token: str, caller: Caller) -> Landing:
    """Ask the model, holding the lease `token` and no connection."""
    reservation = None
    try:
        provider = configured.provider()
        if provider is None:
            raise ProviderError("model_not_configured", "No key is set.", cause="no_key")
        reservation = spending.reserve(prompt.text, photo, caller)
        flights.release_connection()
        answer = provider.classify(photo, prompt.text)
    except ProviderError as error:
        return _fail(photo, error, token, caller, reservation)
    calls = ledger(answer.calls, photo, caller)
    entry = entry_of(photo, answer, provider.name, prompt.version, billed(calls))
    is_kept = entry.confidence >= settings.CACHE_MIN_CONFIDENCE
    source = "local" if provider.name == "local" else "llm"
    outcome = Outcome(answer.classification, source)
    log = caller.answered(photo.sha256, photo.size, outcome, entry.cost)
    if not is_kept:  # told before it is stored, which marks the lease as landed
        flights.ended(token, ending=flights.LANDED, answer=asdict(answer.classification))
    known = recorder.store(StoredAnswer(entry if is_kept else None, log, calls, token, reservation))
    return Landing(Outcome(known.classification, source) if known else outcome, known=known)


def _fail(
    photo: Photo,
    error: ProviderError,
    token: str,
    caller: Caller,
    reservation: Reservation | None,
) -> Landing:
    """Tell the others at once, find a stand-in, and write down what the failure cost."""
    flights.ended(token, ending=error.code)
    flights.release_connection()
    outcome = _stand_in(photo, error.code)
    calls = ledger(error.calls, photo, caller)
    if outcome:
        log = caller.answered(photo.sha256, photo.size, outcome, billed(calls))
    else:
        log = caller.refused(photo.sha256, photo.size, error.code, billed(calls))
    recorder.store(StoredAnswer(None, log, calls, token, reservation))
    return Landing(outcome, error.code, error.retry_after)


def _stand_in(photo: Photo, code: str) -> Outcome | None:
    """What ON_MODEL_FAILURE gives in place of a failed model's answer, if anything."""
    if code in REFUSALS or settings.ON_MODEL_FAILURE == "error":
        return None
    if settings.ON_MODEL_FAILURE == "other":
        return Outcome(Classification(OTHER, 0.0, None), "none", code)
    if settings.LLM_PROVIDER == "local":  # it has just failed itself
        return None
    try:
        answer = configured.on_device().classify(photo, "")
        return Outcome(answer.classification, "local", code)
    except ProviderError:
        logger.exception("The on-device model could not stand in.")
        return None


def entry_of(
    photo: Photo, answer: Answer, provider: str, prompt_version: int, cost: Decimal
) -> CacheEntry:
    """The unsaved entry of an answer. The model's words are not kept when they may repeat what
    is printed on somebody's card."""
    return CacheEntry(
        image_hash=photo.sha256,
        category=answer.classification.category,
        confidence=Decimal(str(answer.classification.confidence)),
        description=answer.classification.description,
        model_used=answer.model,
        model_response=None if answer.classification.category == IDCARD else answer.raw,
        provider=provider,
        prompt_version=None if provider == "local" else prompt_version,
        input_tokens=answer.calls[-1].input_tokens if answer.calls else None,
        output_tokens=answer.calls[-1].output_tokens if answer.calls else None,
        cost=cost,
    )


def ledger(calls: Sequence[Call], photo: Photo, caller: Caller) -> list[ModelCall]:
    return [
        ModelCall(
            request_id=caller.request_id, image_hash=photo.sha256, cost=_cost(call), **asdict(call)
        )
        for call in calls
    ]


def billed(calls: Sequence[ModelCall]) -> Decimal:
    """Yuan of the calls that are certainly billed."""
    return sum((call.cost for call in calls if call.billed == "yes"), Decimal(0))


def _cost(call: Call) -> Decimal:
    """Yuan of one call; of a call that is perhaps billed, what it would cost."""
    if call.billed == "no":
        return Decimal(0)
    return settings.LLM_PRICES.cost(
        call.model, timezone.now(), call.input_tokens, call.output_tokens
    )
