"""Erasures, which become anonymous receipts once finished."""

import secrets
from datetime import timedelta

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.directory import directory
from core.fields import ExactCharField

# A runner renews an erasure more often than this; otherwise it counts as dead.
LEASE = timedelta(minutes=1)


def _new_alias() -> str:
    return f"forgotten-{secrets.token_hex(8)}"


class ErasureManager(models.Manager["Erasure"]):
    def begin(
        self, user_id: str, app_id: int | None, requested_by: str, *, is_claimed: bool = False
    ) -> "Erasure":
        """The unfinished erasure of this person, or a new one; with `is_claimed`, one that the
        caller runs itself."""
        open_one = self.filter(user_id=user_id, app_id=app_id, finished_at=None).first()
        return open_one or self.create(
            user_id=user_id,
            app_id=app_id,
            requested_by=requested_by,
            renewed_at=timezone.now() if is_claimed else None,
        )

    def claim(self) -> "Erasure | None":
        """Claim an unfinished erasure that no process is working on; None if there is none."""
        now = timezone.now()
        renewed = Q(renewed_at__gte=now - LEASE, renewed_at__lte=now + LEASE)  # by a right clock
        abandoned = Q(renewed_at=None) | ~renewed
        for erasure in self.filter(abandoned, finished_at=None).order_by("pk"):
            mine = self.filter(pk=erasure.pk, renewed_at=erasure.renewed_at, finished_at=None)
            if mine.update(renewed_at=now):
                return erasure
        return None


class Erasure(models.Model):
    """The erasure of a person; once finished, a receipt: when, requested by whom, and how many rows
    of which tables. `user_id`, and the `alias` that replaces it in statistics, are stored only
    until it is finished, so that it can be resumed."""

    user_id = ExactCharField(max_length=64, null=True)
    # None means all apps.
    app_id = models.BigIntegerField(_("app"), null=True)
    alias = models.CharField(max_length=32, default=_new_alias, null=True)
    requested_by = models.CharField(_("requested by"), max_length=160)
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    renewed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    rows = models.JSONField(_("rows by table"), default=dict)

    objects = ErasureManager()

    class Meta:
        db_table = "privacy_erasure"
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        permissions = [
            ("find_person", _("Find a person and export what is kept of them")),
            ("forget_person", _("Forget a person")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def app_name(self) -> str:
        """The app's name; "" for all apps."""
        return "" if self.app_id is None else directory.name(self.app_id)

    def count(self, table: str, rows: int) -> None:
        """Add to the receipt's row counts, and renew the claim."""
        with transaction.atomic():
            locked = Erasure.objects.select_for_update().get(pk=self.pk)
            locked.rows[table] = locked.rows.get(table, 0) + rows
            locked.renewed_at = timezone.now()
            locked.save(update_fields=["rows", "renewed_at"])
        self.rows = locked.rows

    def finish(self) -> None:
        """Mark the erasure as finished, and remove the user id and alias."""
        now = timezone.now()
        Erasure.objects.filter(pk=self.pk, finished_at=None).update(
            finished_at=now, user_id=None, alias=None
        )
        self.refresh_from_db()
