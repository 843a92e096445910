"""Trials by staff: ask the model bypassing the cache; the answer is cached only on request."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from classification.errors import ServiceError
from classification.images.uploads import prepare_upload
from classification.models import CacheEntry, PromptVersion
from classification.pipeline.answer_cache import CachedAnswer
from classification.pipeline.answer_entries import ANSWER_FIELDS, entry_of, replace_answer
from classification.pipeline.model_call import ask_model, record_calls
from classification.pipeline.request_log import ClientInfo
from classification.providers.base import ProviderError

SALT = "classification.trials"
SEAL_LIFETIME_SECONDS = 60 * 60
NOT_SEALED = ("created_at", "ask_again", "reviewed_at")  # set anew when the answer is kept
SEALED_FIELDS = (
    "image_hash",
    *(field for field in ANSWER_FIELDS if field not in NOT_SEALED),
)


class NotKept(Exception):
    """Why an answer does not replace the cached one, for a person."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An answer that is not cached: an unsaved entry, and the milliseconds it took."""

    entry: CacheEntry
    duration_ms: int

    def seal(self) -> str:
        """The answer as a signed string, which a browser can send back but not forge."""
        values = {field: getattr(self.entry, field) for field in SEALED_FIELDS}
        sealed = values | {
            "confidence": str(values["confidence"]),
            "cost": str(values["cost"]),
        }
        return signing.dumps(sealed, salt=SALT, compress=True)


def ask(*, upload: bytes, prompt: PromptVersion, client: ClientInfo) -> Trial:
    """Ask the model with this prompt, which need not be saved, and write the call into the ledger.

    Holds no database connection meanwhile. Raises ServiceError and DatabaseError.
    """
    photo = prepare_upload(upload)
    reply = ask_model(photo, prompt.text, prompt.version, client.request_id)
    record_calls(reply)
    if isinstance(reply.outcome, ProviderError):
        error = reply.outcome
        raise ServiceError(error.code, retry_after=error.retry_after) from error
    return Trial(entry_of(reply, reply.outcome), client.elapsed_ms)


def keep(sealed: str) -> CacheEntry:
    """Cache the sealed answer; return its entry.

    Raises NotKept if a person has corrected the entry, if the prompt has changed so that the answer
    would not be served, and for anything not sealed by this service within the last hour.
    """
    try:
        values: dict[str, Any] = signing.loads(sealed, salt=SALT, max_age=SEAL_LIFETIME_SECONDS)
    except signing.BadSignature:
        raise NotKept(
            _("This answer is more than an hour old. Classify the photo again.")
        ) from None
    fresh = CacheEntry(
        **values | {"confidence": Decimal(values["confidence"]), "cost": Decimal(values["cost"])}
    )
    if not CachedAnswer.of(fresh).is_served:
        raise NotKept(_("The prompt has changed since. Classify the photo again."))
    with transaction.atomic():
        entry = CacheEntry.objects.select_for_update().filter(image_hash=fresh.image_hash).first()
        if entry is None:
            fresh.save()
            return fresh
        if entry.corrected_at:
            raise NotKept(
                _("This entry was corrected by a person; the model's answer will not replace it.")
            )
        replace_answer(entry, fresh)
    return entry
