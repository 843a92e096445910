"""What one flight leaves behind: its cache entry, its log row and its calls in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction

from classification import known_photos, spending
from classification.known_photos import KnownPhoto
from classification.models import CacheEntry, ModelCall, RequestLog, Reservation
from classification.outcomes import LogRow

# What a new answer replaces in an entry that is no longer served; its hits stay counted.
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
    "created_at",
    "ask_again",
)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """Unsaved rows that belong together; `entry` is None for an answer that is not kept."""

    entry: CacheEntry | None
    log: LogRow
    calls: Sequence[ModelCall]
    flight_token: str
    reservation: Reservation | None = None

    def write(self) -> KnownPhoto | None:
        """Write the rows, all or none; gives the entry that clients get from now on, if any.

        Of two writers of one entry the first one wins, and so does a person's correction that
        was made meanwhile. Raises DatabaseError and InterfaceError.
        """
        try:
            return self._write(insert=True)
        except IntegrityError:  # the entry is there, from another writer or out of date
            try:
                return self._write(insert=False)
            except CacheEntry.DoesNotExist:  # and has just been removed
                return self._write(insert=True)

    def is_written(self) -> bool:
        """Whether an earlier write(), whose commit went unanswered, succeeded after all."""
        table: type[ModelCall] | type[RequestLog] = ModelCall if self.calls else RequestLog
        return table._default_manager.filter(
            request_id=self.log.request_id, image_hash=self.log.image_hash
        ).exists()

    def _write(self, *, insert: bool) -> KnownPhoto | None:
        known: KnownPhoto | None = None
        with transaction.atomic():
            if self.entry:
                known = self._insert(self.entry) if insert else self._replace(self.entry)
            if settings.ENABLE_REQUEST_LOG:
                RequestLog.objects.create(**self.log._asdict())
            for call in self.calls:
                call.pk = None  # set by an earlier write() that was rolled back
            ModelCall.objects.bulk_create(self.calls)
            spending.settle(self.reservation, self.calls)
        return known

    def _insert(self, entry: CacheEntry) -> KnownPhoto:
        entry.pk = None
        entry.save(force_insert=True)
        return KnownPhoto.of(entry)

    def _replace(self, entry: CacheEntry) -> KnownPhoto:
        existing = CacheEntry.objects.select_for_update().get(image_hash=entry.image_hash)
        served = known_photos.find_in_table([existing.image_hash])
        if served:
            return served[existing.image_hash]
        for field in ANSWER_FIELDS:
            setattr(existing, field, getattr(entry, field))
        existing.save(update_fields=ANSWER_FIELDS)
        return KnownPhoto.of(existing)
