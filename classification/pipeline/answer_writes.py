"""Writes everything a model call results in: cache entry, log row and ledger rows, in one
transaction.

Writing is idempotent: the ids of the ledger rows, or else the id of the write itself, are unique in
the database. If the acknowledgement of a commit is lost, the same write is repeated, and the
database rejects it if the first one did get through.
"""

import contextlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import IntegrityError, transaction

from classification.billing.ledger import write_ledger
from classification.billing.reservations import KILLED, delete_later, settle
from classification.choices import OK
from classification.models import CacheEntry, ModelCall, Reservation, WrittenBatch
from classification.pipeline import answer_cache, leases
from classification.pipeline.answer_cache import CachedAnswer
from classification.pipeline.answer_entries import replace_answer
from classification.pipeline.request_log import LogRow, write_row
from classification.signals import calls_logged, requests_logged
from clients import quotas
from clients.models import QuotaReservation
from core.database.errors import is_transient
from core.database.transactions import write_atomically


class AlreadyWritten(Exception):
    """The ids of this write are in the database already."""


@dataclass(frozen=True, slots=True)
class AnswerWrite:
    """Unsaved rows that belong together, and the lease to release once the entry is written.

    `entry` is None for an answer that is not cached, whose lease has been released before.
    `keeps_log` is False for photos that staff try out.
    """

    entry: CacheEntry | None
    log: LogRow
    calls: Sequence[ModelCall]
    lease: str
    reservation: Reservation | None = None
    quota: QuotaReservation | None = None
    keeps_log: bool = True
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    def write(self) -> CachedAnswer | None:
        """Write the rows, all or none, exactly once; return the answer that clients get from now
        on, if it is cached.

        The first of two writers of an entry wins, and so does a correction made meanwhile. Raises
        what the database raises; if the entry or the log row can never be written, the ledger rows
        are written all the same.
        """
        try:
            known = self._write_once()
        except AlreadyWritten:
            known = self._after_first_write()
        except Exception as error:
            if not is_transient(error):
                self._write_ledger_alone()
            raise
        self._release_lease()
        if self.keeps_log:
            requests_logged.send_robust(type(self), rows=[self.log])
        calls_logged.send_robust(type(self), calls=self.calls)
        return known

    def _write_ledger_alone(self) -> None:
        self._release_lease()  # first, since there is no entry to wait for
        with contextlib.suppress(IntegrityError), transaction.atomic():
            if self.reservation:
                write_ledger(self.calls, self.reservation)
            quotas.settle(self.quota, is_answered=self.log.outcome == OK)
        calls_logged.send_robust(type(self), calls=self.calls)

    def _release_lease(self) -> None:
        # Without an entry, its row may have to stay, to remember unreadable answers.
        if self.entry:
            leases.release(self.lease)

    def _write_once(self) -> CachedAnswer | None:
        try:
            return write_atomically(self._write_rows, self._insert)
        except IntegrityError:  # the entry exists: another writer's, or an outdated one
            try:
                return write_atomically(self._write_rows, self._replace)
            except CacheEntry.DoesNotExist:  # it has just been deleted
                return write_atomically(self._write_rows, self._insert)

    def _after_first_write(self) -> CachedAnswer | None:
        """The result of an earlier write() that got through. If another process took this one for
        dead and wrote the ledger row, writes the remaining rows."""
        call_ids = [call.call_id for call in self.calls]
        if ModelCall.objects.filter(call_id__in=call_ids, outcome=KILLED).exists():
            with contextlib.suppress(AlreadyWritten):
                return replace(self, calls=(), reservation=None)._write_once()
        if self.reservation:
            delete_later(self.reservation)
        if self.entry is None:
            return None
        return answer_cache.get_from_table([self.entry.image_hash]).get(self.entry.image_hash)

    def _write_rows(self, store: Callable[[CacheEntry], CachedAnswer]) -> CachedAnswer | None:
        self._claim_ids()
        known = store(self.entry) if self.entry else None
        if settings.ENABLE_REQUEST_LOG and self.keeps_log:
            write_row(self.log)
        quotas.settle(self.quota, is_answered=self.log.outcome == OK)
        return known

    def _claim_ids(self) -> None:
        try:
            if self.calls and self.reservation:
                write_ledger(self.calls, self.reservation)
                return
            WrittenBatch.objects.create(id=self.id)
        except IntegrityError as error:
            raise AlreadyWritten from error
        if self.reservation:
            settle(self.reservation, ())

    def _insert(self, entry: CacheEntry) -> CachedAnswer:
        entry.pk = None
        entry.save(force_insert=True)
        return CachedAnswer.of(entry)

    def _replace(self, entry: CacheEntry) -> CachedAnswer:
        existing = CacheEntry.objects.select_for_update().get(image_hash=entry.image_hash)
        # By its own hash: an older installation's entry may have it in upper case.
        served = answer_cache.get_from_table([entry.image_hash]).get(entry.image_hash)
        if served:
            return served
        replace_answer(existing, entry)
        return CachedAnswer.of(existing)
