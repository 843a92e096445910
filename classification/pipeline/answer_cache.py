"""Looks up answers by hash: hot entries in the cache `answers`, the others in the table.

A purge or a correction takes effect at once in the process that makes it, and in the others within
LIFETIME_SECONDS; with Redis as the cache, at once everywhere. Concurrent lookups of entries that
are not hot share one query.
"""

import hashlib
import logging
import time
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from classification import prompts
from classification.categories import IDCARD
from classification.model_output import Classification
from classification.models import CacheEntry
from classification.pipeline.query_batching import QueryBatcher
from classification.pipeline.served_entries import is_served

logger = logging.getLogger(__name__)

LIFETIME_SECONDS = 30
# After the cache failed, requests do without it for so long, instead of each waiting for it.
PAUSE_SECONDS = 5
# The table's columns, in the order CachedAnswer.from_row takes them.
COLUMNS = (
    "image_hash", "category", "confidence", "description", "cost", "provider", "prompt_version",
    "corrected_at", "ask_again"
)  # fmt: skip
SELECT = f"SELECT {', '.join(COLUMNS)} FROM image_classification_cache"  # noqa: S608
# The types of CachedAnswer's fields, in order.
COLUMN_TYPES: tuple[Any, ...] = (
    str, str, Decimal, str | None, Decimal, str, int | None, bool, bool
)  # fmt: skip
# One instance for all threads, since it is thread-safe; Django would make one per thread, and look
# it up at each access.
_hot: Any = caches["answers"]
_paused_until = 0.0


def reset() -> None:
    """Clear the hot entries, and forget that the cache failed."""
    global _paused_until
    _paused_until = 0.0
    _hot.clear()


class CachedAnswer(NamedTuple):
    """The part of a cache entry that a hit needs; `cost` is what the entry cost in yuan, and
    therefore what a hit saves."""

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
    def from_row(cls, row: tuple[Any, ...]) -> "CachedAnswer":
        """The answer in a row of COLUMNS; SQLite returns decimals as numbers."""
        image_hash, category, confidence, description, cost, provider, version, *marks = row
        corrected_at, ask_again = marks
        return cls(
            # Older installations wrote some hashes in upper case.
            image_hash=image_hash.lower(),
            category=category,
            confidence=Decimal(str(confidence or 0)),
            description=description,
            cost=_cost(Decimal(str(cost)), provider),
            provider=provider,
            prompt_version=version,
            corrected=corrected_at is not None,
            # Older installations' tables take an answer without it.
            ask_again=bool(ask_again) or confidence is None,
        )

    @classmethod
    def from_cache(cls, value: Any, image_hash: str) -> "CachedAnswer | None":
        """The cached value for a hash as an answer; None for anything invalid: other programs, or
        an older release of this one, may write to the same Redis."""
        if value is None or isinstance(value, cls):  # the memory cache stores objects
            return value
        try:
            found = cls(*value)
            found = found._replace(confidence=Decimal(found.confidence), cost=Decimal(found.cost))
            is_ours = found.image_hash == image_hash and 0 <= found.confidence <= 1
        except (TypeError, ValueError, InvalidOperation):
            return None
        is_typed = all(map(isinstance, found, COLUMN_TYPES))
        return found if is_ours and is_typed else None

    @classmethod
    def of(cls, entry: CacheEntry) -> "CachedAnswer":
        """The answer in a cache entry."""
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
        # Older installations kept what the model read on ID cards; that must not leave the service.
        description = None if self.category == IDCARD else self.description
        return Classification(self.category, float(self.confidence), description)

    @property
    def is_served(self) -> bool:
        """Whether clients get it, by the current settings and prompt."""
        return is_served(
            category=self.category,
            provider=self.provider,
            prompt_version=self.prompt_version,
            is_corrected=self.corrected,
            ask_again=self.ask_again,
            accepted_from=prompts.current().accepted_from,
        )


# Part of each key: a release with another form of CachedAnswer has its own keys in a shared cache.
FORMAT = hashlib.sha256(repr((CachedAnswer, CachedAnswer.__annotations__)).encode()).hexdigest()[:8]


def _cost(cost: Decimal, provider: str) -> Decimal:
    """What an entry cost in yuan; an entry without a provider is older than the ledger."""
    return cost if cost or provider else settings.COST_PER_API_CALL


def get(image_hash: str) -> CachedAnswer | None:
    """The answer that is served for this hash, if any; raises DatabaseError."""
    value = _with_cache(lambda: _hot.get(image_hash, version=FORMAT), None)
    hot = CachedAnswer.from_cache(value, image_hash)
    return hot if hot and hot.is_served else _batcher.get(image_hash)


def get_many(image_hashes: Iterable[str]) -> dict[str, CachedAnswer]:
    """The served answers by hash, with one query for those that are not hot; raises
    DatabaseError."""
    wanted = list(dict.fromkeys(image_hashes))
    values: dict[str, Any] = _with_cache(lambda: _hot.get_many(wanted, version=FORMAT), {})
    hot = {key: CachedAnswer.from_cache(value, key) for key, value in values.items()}
    found = {key: answer for key, answer in hot.items() if answer and answer.is_served}
    missing = [image_hash for image_hash in wanted if image_hash not in found]
    return found | (get_from_table(missing) if missing else {})


def get_from_table(image_hashes: list[str]) -> dict[str, CachedAnswer]:
    """The served answers by hash as the table has them now; makes them hot."""
    entries = read_entries(image_hashes)
    served = {image_hash: entry for image_hash, entry in entries.items() if entry.is_served}
    for photo in served.values():
        _with_cache(lambda photo=photo: _add(photo), None)
    return served


def read_entries(image_hashes: list[str]) -> dict[str, CachedAnswer]:
    """The table's entries by hash, whether they are served or not."""
    marks = ",".join(["%s"] * len(image_hashes))
    with connection.cursor() as cursor:
        # Raw SQL: the ORM takes twice as long to build this query as the database to answer it.
        cursor.execute(f"{SELECT} WHERE image_hash IN ({marks})", image_hashes)
        entries = [CachedAnswer.from_row(row) for row in cursor.fetchall()]
    return {entry.image_hash: entry for entry in entries}


_batcher = QueryBatcher(get_from_table)


def invalidate(image_hashes: Iterable[str]) -> None:
    """Remove these from the hot entries; call it whenever their rows change.

    A tombstone takes their place until it expires, so that a thread that read the old row before
    the change was committed cannot add it again.
    """
    marks = dict.fromkeys(image_hash.lower() for image_hash in image_hashes)
    _with_cache(lambda: _hot.set_many(marks, LIFETIME_SECONDS, version=FORMAT), None)


def _add(photo: CachedAnswer) -> None:
    _hot.add(photo.image_hash, photo, LIFETIME_SECONDS, version=FORMAT)


def _with_cache(action: Any, otherwise: Any) -> Any:
    """What `action` returns, or `otherwise` while the cache is failing: it only saves time."""
    global _paused_until
    if time.monotonic() < _paused_until:
        return otherwise
    try:
        return action()
    except Exception as error:  # Redis's own, or from unpickling what somebody else put there
        _paused_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("The cache at CACHE_URL is failing: %s", type(error).__name__)
        return otherwise


@receiver([post_save, post_delete], sender=CacheEntry)
def _invalidate_changed_entry(instance: CacheEntry, created: bool = False, **_: Any) -> None:
    if not created:
        invalidate([instance.image_hash])
