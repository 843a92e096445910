"""The current prompt, cached for CACHE_SECONDS."""

import time
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from classification.models import PromptVersion

CACHE_SECONDS = 30

_prompt: "Prompt | None" = None
_prompt_until = 0.0
_changes = 0


class Prompt(NamedTuple):
    """A prompt, and the oldest version whose answers are still served."""

    version: int
    text: str
    accepted_from: int


def current() -> Prompt:
    """The current prompt; changes of other processes take up to CACHE_SECONDS. Raises
    DatabaseError."""
    global _prompt, _prompt_until
    prompt, changes = _prompt, _changes
    if prompt is None or time.monotonic() > _prompt_until:
        row = PromptVersion.objects.current()
        prompt = Prompt(row.version, row.text, row.accepted_from)
        if changes == _changes:  # otherwise it may have been read before the change
            _prompt, _prompt_until = prompt, time.monotonic() + CACHE_SECONDS
    return prompt


def invalidate() -> None:
    """Discard the cached prompt; call it after a change."""
    global _prompt, _changes
    _prompt, _changes = None, _changes + 1


@receiver([post_save, post_delete], sender=PromptVersion)
def _invalidate_changed_prompt(instance: PromptVersion, **_: Any) -> None:
    if instance.version > 1:  # the first one is created by current()
        invalidate()
        transaction.on_commit(invalidate)  # threads may have read the old one until the commit
