"""Asking the model past the cache, for staff: the answer is kept only when they say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction

from classification import configured, flights, photos, spending
from classification.errors import Refusal
from classification.models import CacheEntry, ModelCall, PromptVersion, Reservation
from classification.new_photos import billed, entry_of, ledger
from classification.outcomes import Caller
from classification.providers.base import ProviderError
from classification.signals import calls_logged
from classification.stored_answers import ANSWER_FIELDS

SALT = "classification.trials"
KEEP_SECONDS = 60 * 60
# `created_at` and `ask_again` begin anew with the answer that is kept.
SEALED_FIELDS = (
    "image_hash",
    *(f for f in ANSWER_FIELDS if f not in ("created_at", "ask_again")),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """An answer that is not kept: an unsaved entry, and the milliseconds it took."""

    entry: CacheEntry
    duration_ms: int

    def seal(self) -> str:
        """The answer in a form that a browser can hand back, and nobody can write."""
        values = {field: getattr(self.entry, field) for field in SEALED_FIELDS}
        sealed = values | {
            "confidence": str(values["confidence"]),
            "cost": str(values["cost"]),
        }
        return signing.dumps(sealed, salt=SALT, compress=True)


def ask(*, upload: bytes, prompt: PromptVersion, caller: Caller) -> Trial:
    """Ask the model with this prompt, which need not be saved; the call goes into the ledger.

    Raises Refusal and DatabaseError. Holds no connection while the model is being asked.
    """
    if len(upload) > settings.MAX_IMAGE_SIZE_MB * 1024 * 1024:
        raise Refusal("image_too_large")
    photo = photos.prepare(
        upload,
        allowed_formats=settings.ALLOWED_IMAGE_FORMATS,
        max_side=settings.LLM_IMAGE_MAX_SIDE,
    )
    provider = configured.provider()
    if provider is None:
        raise Refusal("model_not_configured")
    reservation = None
    try:
        reservation = spending.reserve(prompt.text, photo, caller)
        flights.release_connection()
        answer = provider.classify(photo, prompt.text)
    except ProviderError as error:
        _write_down(ledger(error.calls, photo, caller), reservation)
        raise Refusal(error.code, retry_after=error.retry_after) from error
    calls = ledger(answer.calls, photo, caller)
    _write_down(calls, reservation)
    entry = entry_of(photo, answer, provider.name, prompt.version, billed(calls))
    return Trial(entry, caller.elapsed_ms)


def _write_down(calls: Sequence[ModelCall], reservation: Reservation | None) -> None:
    with transaction.atomic():
        ModelCall.objects.bulk_create(calls)
        spending.settle(reservation, calls)
    calls_logged.send_robust(None, calls=calls)


def keep(sealed: str) -> CacheEntry:
    """Make the sealed answer the one that clients get; what a person corrected stays so.

    Raises signing.BadSignature for what was not sealed here within the last hour.
    """
    values: dict[str, Any] = signing.loads(sealed, salt=SALT, max_age=KEEP_SECONDS)
    fresh = CacheEntry(
        **values | {"confidence": Decimal(values["confidence"]), "cost": Decimal(values["cost"])}
    )
    with transaction.atomic():
        entry = CacheEntry.objects.select_for_update().filter(image_hash=fresh.image_hash).first()
        if entry is None:
            fresh.save()
            return fresh
        if entry.corrected_at is None:
            for field in ANSWER_FIELDS:
                setattr(entry, field, getattr(fresh, field))
            entry.save(update_fields=ANSWER_FIELDS)
    return entry
