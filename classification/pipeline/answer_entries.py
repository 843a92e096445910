"""Builds the cache entry of a model's answer, and replaces the answer in an older entry."""

from decimal import Decimal

from classification.categories import IDCARD
from classification.models import CacheEntry
from classification.pipeline.model_call import ModelReply
from classification.providers.base import Answer

# The fields that a new answer replaces in an entry that is no longer served.
ANSWER_FIELDS = (
    "category",
    "confidence",
    "description",
    "model_used",
    "model_response",
    "provider",
    "prompt_version",
    "input_tokens",
    "output_tokens",
    "cost",
    "cost_is_exact",
    "created_at",
    "ask_again",
    "reviewed_at",
)


def entry_of(reply: ModelReply, answer: Answer) -> CacheEntry:
    """The unsaved entry of a model's answer. The raw reply is dropped for ID cards, since it may
    repeat what is printed there."""
    found = answer.classification
    last_call = answer.calls[-1] if answer.calls else None
    return CacheEntry(
        image_hash=reply.photo.sha256,
        category=found.category,
        confidence=Decimal(str(found.confidence)),
        description=found.description,
        model_used=answer.model,
        model_response=None if found.category == IDCARD else answer.raw,
        provider=reply.provider,
        prompt_version=None if reply.provider == "local" else reply.prompt_version,
        input_tokens=last_call.input_tokens if last_call else None,
        output_tokens=last_call.output_tokens if last_call else None,
        cost=reply.cost,
        cost_is_exact=all(call.cost_is_exact for call in (*reply.earlier_calls, *reply.calls)),
    )


def replace_answer(entry: CacheEntry, new: CacheEntry) -> None:
    """Save the answer of `new` in an existing entry, which keeps its hit count."""
    for name in ANSWER_FIELDS:
        setattr(entry, name, getattr(new, name))
    entry.save(update_fields=ANSWER_FIELDS)
