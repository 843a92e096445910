"""Looking a hash up: hot entries from Django's cache, the others from the table.

A purge or a correction is seen at once by the process that makes it, and by the others within
LIFETIME_SECONDS; with Redis as the cache, at once by all. Photos that are not hot are looked up
together, many with one query.
"""

import logging
import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from redis.exceptions import RedisError

from classification.categories import IDCARD, KEYS
from classification.lookups import Lookups
from classification.models import CacheEntry, PromptVersion
from classification.results import Classification

logger = logging.getLogger(__name__)

LIFETIME_SECONDS = 30
# After the cache failed, requests do without it for so long instead of waiting for it each.
REST_SECONDS = 5
SELECT = (
    "SELECT image_hash, category, confidence, description, cost, provider, prompt_version, "
    "corrected_at, ask_again FROM image_classification_cache"
)
_resting_until = 0.0
_prompt: "Prompt | None" = None
_prompt_until = 0.0
_prompt_changes = 0


class KnownPhoto(NamedTuple):
    """What a hit needs of a cache entry; `cost` is what the entry cost in yuan, and therefore
    what a hit saves."""

    image_hash: str
    category: str
    confidence: Decimal
    description: str | None
    cost: Decimal
    provider: str
    prompt_version: int | None
    corrected: bool
    ask_again: bool

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> "KnownPhoto":
        """What a hit needs of a row of SELECT; SQLite gives its decimals as numbers."""
        image_hash, category, confidence, description, cost, provider, version, *marks = row
        corrected_at, ask_again = marks
        return cls(
            # An older installation may have written some in upper case.
            image_hash=image_hash.lower(),
            category=category,
            confidence=Decimal(str(confidence)),
            description=description,
            cost=_cost(Decimal(str(cost)), provider),
            provider=provider,
            prompt_version=version,
            corrected=corrected_at is not None,
            ask_again=bool(ask_again),
        )

    @classmethod
    def of(cls, entry: CacheEntry) -> "KnownPhoto":
        """What a hit needs of this entry."""
        return cls(
            image_hash=entry.image_hash.lower(),
            category=entry.category,
            confidence=entry.confidence,
            description=entry.description,
            cost=_cost(entry.cost, entry.provider),
            provider=entry.provider,
            prompt_version=entry.prompt_version,
            corrected=entry.corrected_at is not None,
            ask_again=entry.ask_again,
        )

    @property
    def classification(self) -> Classification:
        # An older installation kept what it read on cards; that is not passed on.
        description = None if self.category == IDCARD else self.description
        return Classification(self.category, float(self.confidence), description)

    @property
    def is_served(self) -> bool:
        """Whether the entry counts as known under the settings and the prompt in force.

        A person's correction always does. An answer of the on-device model does not stand in
        for a paid one, nor does an answer to a prompt that staff declared out of date, nor one
        that they want asked again.
        """
        if self.category not in KEYS or self.ask_again:
            return False
        if self.corrected:
            return True
        if self.provider == "local":
            return settings.LLM_PROVIDER == "local"
        return (self.prompt_version or 0) >= current_prompt().accepted_from


def _cost(cost: Decimal, provider: str) -> Decimal:
    """What an entry cost; one that names no provider is older than the ledger."""
    return cost if cost or provider else settings.COST_PER_API_CALL


def find(image_hash: str) -> KnownPhoto | None:
    """The photo with this hash, if its answer is known; DatabaseError when it cannot be told."""
    photo: KnownPhoto | None = _with_cache(lambda: cache.get(image_hash), None)
    return photo if photo and photo.is_served else _lookups.find(image_hash)


def find_many(image_hashes: Iterable[str]) -> dict[str, KnownPhoto]:
    """The known ones of these hashes, with one query for those that are not hot."""
    wanted = list(dict.fromkeys(image_hashes))
    hot: dict[str, KnownPhoto | None] = _with_cache(lambda: cache.get_many(wanted), {})
    found = {image_hash: photo for image_hash, photo in hot.items() if photo and photo.is_served}
    missing = [image_hash for image_hash in wanted if image_hash not in found]
    return found | (find_in_table(missing) if missing else {})


def find_in_table(image_hashes: list[str]) -> dict[str, KnownPhoto]:
    """The known ones of these hashes as the table has them now."""
    marks = ",".join(["%s"] * len(image_hashes))
    with connection.cursor() as cursor:
        # By hand: building this query in the ORM takes twice as long as the database's answer.
        cursor.execute(f"{SELECT} WHERE image_hash IN ({marks})", image_hashes)
        photos = [KnownPhoto.from_row(row) for row in cursor.fetchall()]
    served = {photo.image_hash: photo for photo in photos if photo.is_served}
    for photo in served.values():
        _with_cache(lambda photo=photo: cache.add(photo.image_hash, photo, LIFETIME_SECONDS), None)
    return served


_lookups = Lookups(find_in_table)


def forget(image_hashes: Iterable[str]) -> None:
    """Take these out of the hot entries; to be called when their rows have changed.

    A mark stays in their place, beside which nothing can be added: another thread may have read
    the old row, and the change may not be committed yet.
    """
    marks = dict.fromkeys(image_hash.lower() for image_hash in image_hashes)
    _with_cache(lambda: cache.set_many(marks, LIFETIME_SECONDS), None)


class Prompt(NamedTuple):
    """What is asked, and from which version on answers count as known."""

    version: int
    text: str
    accepted_from: int


def current_prompt() -> Prompt:
    """The prompt in force, at most LIFETIME_SECONDS old."""
    global _prompt, _prompt_until
    prompt, changes = _prompt, _prompt_changes
    if prompt is None or time.monotonic() > _prompt_until:
        row = PromptVersion.objects.current()
        prompt = Prompt(row.version, row.text, row.accepted_from)
        if changes == _prompt_changes:  # else it may have been read before the change
            _prompt, _prompt_until = prompt, time.monotonic() + LIFETIME_SECONDS
    return prompt


def forget_prompt() -> None:
    """Read the prompt again; to be called after it has changed."""
    global _prompt, _prompt_changes
    _prompt, _prompt_changes = None, _prompt_changes + 1


def _with_cache(action: Any, otherwise: Any) -> Any:
    """What `action` returns, or `otherwise` while the cache is away: it only saves time."""
    global _resting_until
    if time.monotonic() < _resting_until:
        return otherwise
    try:
        return action()
    except RedisError as error:
        _resting_until = time.monotonic() + REST_SECONDS
        logger.warning("The cache at CACHE_URL does not answer: %s", type(error).__name__)
        return otherwise


@receiver([post_save, post_delete], sender=CacheEntry)
def _entry_changed(instance: CacheEntry, created: bool = False, **_: Any) -> None:
    if not created:
        forget([instance.image_hash])


@receiver([post_save, post_delete], sender=PromptVersion)
def _prompt_changed(instance: PromptVersion, **_: Any) -> None:
    if instance.version > 1:  # the first one is made by reading it
        forget_prompt()
        transaction.on_commit(forget_prompt)  # others may have read the old one till then
