"""What is kept: cache entries, the request log, the ledger of model calls, flights, prompts.

The tables of the first two are older than this project; their columns' names and types are
fixed. What we added to them has a default in the database too, so that the older service can
still write its rows after a step back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classification.categories import CATEGORIES, IDCARD
from classification.prompts import DEFAULT_PROMPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

CATEGORY_CHOICES = [(category.key, category.label) for category in CATEGORIES]


class LocalDate(models.Func):
    """The date part of a datetime as it is stored, which is in local time."""

    function = "DATE"
    output_field = models.DateField()


class CacheEntry(models.Model):
    """The answer kept for everyone who has the photo with this hash."""

    image_hash = models.CharField(_("photo hash"), max_length=64, unique=True)
    category = models.CharField(_("category"), max_length=50, choices=CATEGORY_CHOICES)
    confidence = models.DecimalField(_("confidence"), max_digits=5, decimal_places=4)
    description = models.TextField(_("description"), null=True, blank=True)
    model_used = models.CharField(_("model"), max_length=50)
    model_response = models.JSONField(_("model's answer"), null=True, blank=True)
    hit_count = models.PositiveIntegerField(_("hits"), default=1)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    last_hit_at = models.DateTimeField(_("last hit"), default=timezone.now)

    provider = models.CharField(_("provider"), max_length=20, default="", db_default="", blank=True)
    prompt_version = models.PositiveIntegerField(_("prompt version"), null=True, blank=True)
    input_tokens = models.PositiveIntegerField(_("input tokens"), null=True, blank=True)
    output_tokens = models.PositiveIntegerField(_("output tokens"), null=True, blank=True)
    cost = models.DecimalField(
        _("cost (yuan)"), max_digits=12, decimal_places=6, default=0, db_default=0
    )
    model_category = models.CharField(
        _("category by the model"), max_length=50, null=True, blank=True
    )
    corrected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("corrected by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    corrected_at = models.DateTimeField(_("corrected"), null=True, blank=True)
    ask_again = models.BooleanField(_("to be asked again"), default=False, db_default=False)

    class Meta:
        db_table = "image_classification_cache"
        verbose_name = _("cache entry")
        verbose_name_plural = _("cache entries")
        indexes = [
            models.Index(fields=["created_at"], name="cache_created_at"),
            models.Index(fields=["hit_count"], name="cache_hit_count"),
        ]

    def __str__(self) -> str:
        return f"{self.image_hash[:12]}… {self.category}"

    def correct(self, category: str, *, by: User) -> None:
        """Set a person's category, without saving; the model's own takes the correction back."""
        by_model = self.model_category or self.category
        is_correction = category != by_model
        self.category = category
        self.model_category = by_model if is_correction else None
        self.corrected_by = by if is_correction else None
        self.corrected_at = timezone.now() if is_correction else None
        self.ask_again = False
        if category == IDCARD:  # what is printed on somebody's card is not kept
            self.description = self.model_response = None


class RequestLog(models.Model):
    """One row for each photo that was asked about and answered, or refused.

    `outcome` is "ok" or an error code. An answer that stood in for a failed model call keeps
    the code of that failure, so that statistics tell it from a success.
    """

    request_id = models.CharField(_("request"), max_length=64, db_index=True)
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

    outcome = models.CharField(_("outcome"), max_length=40, default="ok", db_default="ok")
    source = models.CharField(_("source"), max_length=10, default="", db_default="", blank=True)
    cost = models.DecimalField(
        _("cost (yuan)"), max_digits=12, decimal_places=6, default=0, db_default=0
    )
    saved = models.DecimalField(
        _("saved (yuan)"), max_digits=12, decimal_places=6, default=0, db_default=0
    )

    class Meta:
        db_table = "request_log"
        verbose_name = _("request")
        verbose_name_plural = _("request log")
        indexes = [models.Index(fields=["created_date"], name="log_created_date")]

    def __str__(self) -> str:
        return self.request_id


class ModelCall(models.Model):
    """The ledger: one row for each request to a paid model, retries included."""

    BILLED_CHOICES = [("yes", _("yes")), ("no", _("no")), ("perhaps", _("perhaps"))]

    request_id = models.CharField(_("request"), max_length=64, db_index=True)
    image_hash = models.CharField(_("photo hash"), max_length=64)
    model = models.CharField(_("model"), max_length=50)
    outcome = models.CharField(_("outcome"), max_length=40)
    billed = models.CharField(_("billed"), max_length=10, choices=BILLED_CHOICES)
    input_tokens = models.PositiveIntegerField(_("input tokens"), null=True)
    output_tokens = models.PositiveIntegerField(_("output tokens"), null=True)
    cost = models.DecimalField(_("cost (yuan)"), max_digits=12, decimal_places=6)
    duration_ms = models.PositiveIntegerField(_("time (ms)"))
    provider_request_id = models.CharField(_("provider's request"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)

    class Meta:
        db_table = "model_call"
        verbose_name = _("model call")
        verbose_name_plural = _("model calls")

    def __str__(self) -> str:
        return f"{self.model} ({self.outcome})"


class Flight(models.Model):
    """The lease on asking the model about one photo, across processes and hosts.

    Its holder counts `renewals` up every second; those who see it stand still for some seconds
    may take it over. `ending` is "" in the air, "ok" or the error code after it; `answer` is
    for those who wait when it is not kept as a cache entry.
    """

    image_hash = models.CharField(max_length=64, primary_key=True)
    token = models.CharField(max_length=32, unique=True)
    renewals = models.PositiveIntegerField(default=0)
    ending = models.CharField(max_length=40, default="", blank=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "flight"

    def __str__(self) -> str:
        return self.image_hash


class ServerProcess(models.Model):
    """How one server process was when it last wrote, which it does every few seconds.

    Breaker, slots and buffer are each process's own: here all of them can be seen from any.
    `rest_code` is "" while calls to the model are made; `rest_cause` is one of the providers'.
    """

    token = models.CharField(max_length=32, primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    model_state = models.CharField(max_length=20)
    denied_models = models.CharField(max_length=255)
    calls_in_flight = models.PositiveIntegerField()
    rest_code = models.CharField(max_length=40)
    rest_cause = models.CharField(max_length=20)
    rest_since = models.DateTimeField(null=True)
    rest_until = models.DateTimeField(null=True)
    rows_waiting = models.PositiveIntegerField()
    rows_dropped = models.PositiveIntegerField()
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "server_process"

    def __str__(self) -> str:
        return f"{self.host} {self.pid}"


class SpendingDay(models.Model):
    """What the calls of a local day have cost, perhaps billed ones included, and what those
    under way may cost at most: in millionths of a yuan, since whole numbers compare exactly in
    every database. Kept only where DAILY_COST_LIMIT is set."""

    day = models.DateField(primary_key=True)
    spent = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)

    class Meta:
        db_table = "spending_day"

    def __str__(self) -> str:
        return str(self.day)


class Reservation(models.Model):
    """The part of `SpendingDay.reserved` that one flight holds until its calls are in the
    ledger; what a killed process has left is found by its age."""

    token = models.CharField(max_length=32, primary_key=True)
    day = models.DateField()
    amount = models.BigIntegerField()
    request_id = models.CharField(max_length=64)
    image_hash = models.CharField(max_length=64)
    model = models.CharField(max_length=50)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "spending_reservation"

    def __str__(self) -> str:
        return self.token


class PromptVersionManager(models.Manager["PromptVersion"]):
    def current(self) -> PromptVersion:
        """The version in force, the first one being made from the settings."""
        latest = self.order_by("-version").first()
        if latest:
            return latest
        try:
            with transaction.atomic():
                return self.create(version=1, text=settings.CLASSIFICATION_PROMPT or DEFAULT_PROMPT)
        except IntegrityError:  # another process was first
            return self.get(version=1)

    def publish(
        self,
        text: str,
        *,
        author: User,
        after: int,
        keep_older: bool,
        restored_from: int | None = None,
    ) -> PromptVersion:
        """Put a text in force as the version after `after`.

        Answers to older versions stay known, or are unknown from now on. Raises IntegrityError
        when somebody else has published since.
        """
        version = after + 1
        accepted_from = self.get(version=after).accepted_from if keep_older else version
        with transaction.atomic():
            return self.create(
                version=version,
                text=text,
                author=author,
                restored_from=restored_from,
                accepted_from=accepted_from,
            )


class PromptVersion(models.Model):
    """One text of the prompt; the highest version is in force, and none is ever changed."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    text = models.TextField(_("text"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    restored_from = models.PositiveIntegerField(_("restored from version"), null=True)
    accepted_from = models.PositiveIntegerField(_("answers count as known from version"), default=0)

    objects = PromptVersionManager()

    class Meta:
        db_table = "prompt_version"
        verbose_name = _("prompt version")
        verbose_name_plural = _("prompt versions")

    def __str__(self) -> str:
        return f"v{self.version}"

    def known_answers(self) -> models.QuerySet[CacheEntry]:
        """The paid model's answers that are served while this version is in force."""
        return (
            CacheEntry.objects.filter(corrected_at=None, ask_again=False)
            .exclude(provider="local")
            .alias(answered_to=Coalesce("prompt_version", 0))
            .filter(answered_to__gte=self.accepted_from)
        )
