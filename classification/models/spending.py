"""The ledger of paid calls, and the spending against the daily limit."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classification.choices import Billed
from clients.models import ANONYMOUS_ID, QuotaCounter

# The app id of calls made by staff, who try a photo or a prompt.
STAFF_ID = 0


class ModelCall(models.Model):
    """The ledger: one row for each request to a paid model, retries included."""

    # Makes writing the same call twice fail; older rows have none.
    call_id = models.CharField(max_length=40, null=True, unique=True, editable=False)
    request_id = models.CharField(_("request"), max_length=64, db_index=True)
    image_hash = models.CharField(_("photo hash"), max_length=64)
    provider = models.CharField(_("provider"), max_length=20, default="", db_default="")
    model = models.CharField(_("model"), max_length=50)
    outcome = models.CharField(_("outcome"), max_length=40)
    billed = models.CharField(_("billed"), max_length=10, choices=Billed.choices)
    input_tokens = models.PositiveIntegerField(_("input tokens"), null=True)
    output_tokens = models.PositiveIntegerField(_("output tokens"), null=True)
    # Part of the input tokens; null if the provider does not report it.
    cached_tokens = models.PositiveIntegerField(_("cached tokens"), null=True)
    cost = models.DecimalField(_("cost (yuan)"), max_digits=12, decimal_places=6)
    # Null for calls from before this column, which is unknown.
    cost_is_exact = models.BooleanField(_("cost is exact"), null=True)
    duration_ms = models.PositiveIntegerField(_("time (ms)"))
    provider_request_id = models.CharField(_("provider's request"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    # No foreign key: adding one to a ledger of millions takes minutes.
    app_id = models.BigIntegerField(_("app"), default=ANONYMOUS_ID, db_default=ANONYMOUS_ID)

    # The failure to write together with an unsaved row.
    failure: CallFailure | None = None

    class Meta:
        db_table = "model_call"
        verbose_name = _("model call")
        verbose_name_plural = _("model calls")

    def __str__(self) -> str:
        return f"{self.model} ({self.outcome})"


class CallFailure(models.Model):
    """The response to a failed call; kept as long as the log, unlike the ledger."""

    call_id = models.CharField(max_length=40, unique=True)
    status = models.PositiveIntegerField(null=True)
    code = models.CharField(max_length=60, blank=True)
    message = models.TextField(blank=True)
    reply = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "model_call_failure"

    def __str__(self) -> str:
        return f"{self.status} {self.code}".strip()


class SpendingDay(models.Model):
    """What the calls of a local day have cost, including possibly billed ones, and the maximum cost
    of those in progress: in millionths of a yuan, since integers compare exactly in every database.
    Only used if DAILY_COST_LIMIT is set."""

    day = models.DateField(primary_key=True)
    spent = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)

    class Meta:
        db_table = "spending_day"

    def __str__(self) -> str:
        return str(self.day)


class Reservation(models.Model):
    """A question to a paid model that is in progress, or was when its process was killed.

    Written before anything is sent. `amount` is its part of `SpendingDay.reserved`, 0 without a
    limit; `token` becomes the id of the billed call.
    """

    token = models.CharField(max_length=32, primary_key=True)
    day = models.DateField()
    amount = models.BigIntegerField()
    request_id = models.CharField(max_length=64)
    image_hash = models.CharField(max_length=64)
    model = models.CharField(max_length=50)
    app_id = models.BigIntegerField(default=ANONYMOUS_ID, db_default=ANONYMOUS_ID)
    # Of the app's daily quota, to which whoever writes the call into the ledger adds its cost.
    counter = models.ForeignKey(
        QuotaCounter,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "spending_reservation"

    def __str__(self) -> str:
        return self.token
