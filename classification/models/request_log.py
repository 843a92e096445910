"""The request log: one row per photo of a request."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classification.choices import OK
from classification.models.entries import CATEGORY_CHOICES
from clients.models import ANONYMOUS_ID, App


class LocalDate(models.Func):
    """The date part of a datetime as it is stored, which is in local time."""

    function = "DATE"
    output_field = models.DateField()


class RequestLog(models.Model):
    """One row per photo of a request, answered or failed.

    `outcome` is "ok" or an error code. A fallback answer keeps the error code of the failed model
    call, so that statistics do not count it as a success.
    """

    # No index, which would slow down each insert: the id contains its time.
    request_id = models.CharField(_("request"), max_length=64)
    user_id = models.CharField(_("user"), max_length=64, null=True, blank=True)
    ip_address = models.CharField(_("address"), max_length=45, null=True, blank=True)
    image_hash = models.CharField(_("photo hash"), max_length=64, blank=True, db_index=True)
    image_size = models.PositiveIntegerField(_("size (bytes)"), null=True, blank=True)
    category = models.CharField(_("category"), max_length=50, blank=True, choices=CATEGORY_CHOICES)
    confidence = models.DecimalField(_("confidence"), max_digits=5, decimal_places=4, default=0)
    from_cache = models.BooleanField(_("from cache"), default=False)
    processing_time_ms = models.PositiveIntegerField(_("time (ms)"), null=True, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    created_date = models.GeneratedField(
        verbose_name=_("day"),
        expression=LocalDate("created_at"),
        output_field=models.DateField(),
        db_persist=True,
    )

    outcome = models.CharField(_("outcome"), max_length=40, default=OK, db_default=OK)
    source = models.CharField(_("source"), max_length=10, default="", db_default="", blank=True)
    cost = models.DecimalField(
        _("cost (yuan)"), max_digits=12, decimal_places=6, default=0, db_default=0
    )
    saved = models.DecimalField(
        _("saved (yuan)"), max_digits=12, decimal_places=6, default=0, db_default=0
    )
    # The reason behind an error code that has several: DAILY_LIMIT, or a provider's cause.
    reason = models.CharField(_("cause"), max_length=20, default="", db_default="", blank=True)
    # No constraint and no index: adding either to a log of millions takes minutes.
    app = models.ForeignKey(
        App,
        verbose_name=_("app"),
        on_delete=models.PROTECT,
        default=ANONYMOUS_ID,
        db_default=ANONYMOUS_ID,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta:
        db_table = "request_log"
        verbose_name = _("request")
        verbose_name_plural = _("request log")
        indexes = [models.Index(fields=["created_date"], name="log_created_date")]

    def __str__(self) -> str:
        return self.request_id or f"#{self.pk}"  # older installations' tables take none
