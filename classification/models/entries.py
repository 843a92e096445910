"""Cached answers, and the hashes that clients declare for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from classification.categories import BY_KEY, CATEGORIES, IDCARD
from clients.models import App
from core.fields import ExactCharField

if TYPE_CHECKING:
    from django.contrib.auth.models import User


CATEGORY_CHOICES = [(category.key, category.label) for category in CATEGORIES]


CORRECTION_FIELDS = (
    "category",
    "model_category",
    "model_description",
    "corrected_by",
    "corrected_at",
    "correcting_app",
    "correcting_users",
    "reviewed_at",
    "ask_again",
    "description",
    "model_response",
)


class CacheEntry(models.Model):
    """The cached answer for the photo with this hash."""

    image_hash = models.CharField(_("photo hash"), max_length=64, unique=True)
    category = models.CharField(_("category"), max_length=50, choices=CATEGORY_CHOICES)
    confidence = models.DecimalField(_("confidence"), max_digits=5, decimal_places=4)
    description = models.TextField(_("description"), null=True, blank=True)
    model_used = models.CharField(_("model"), max_length=50)
    model_response = models.JSONField(_("raw model output"), null=True, blank=True)
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
    # Null for answers from before this column, which is unknown.
    cost_is_exact = models.BooleanField(_("cost is exact"), null=True, blank=True)
    model_category = models.CharField(_("model's result"), max_length=50, null=True, blank=True)
    # The model's own description, if a person replaced it; empty if the model gave none.
    model_description = models.TextField(_("model's description"), null=True, blank=True)
    corrected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("corrected by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    corrected_at = models.DateTimeField(_("corrected"), null=True, blank=True)
    # The app whose users corrected it, and how many, if it was not staff. No constraint and no
    # index: adding either to a table of millions takes minutes.
    correcting_app = models.ForeignKey(
        App,
        verbose_name=_("app"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    correcting_users = models.PositiveIntegerField(
        pgettext_lazy("how many", "users"), null=True, blank=True
    )
    # When staff last reviewed it; after that, users cannot correct it.
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    ask_again = models.BooleanField(_("pending re-classification"), default=False, db_default=False)

    class Meta:
        db_table = "image_classification_cache"
        verbose_name = _("cache entry")
        verbose_name_plural = _("cache entries")
        permissions = [
            ("try_model", _("Re-classify, skipping the cache")),
            ("keep_answer", _("Replace a cached answer")),
            ("purge_cacheentry", _("Purge cache entries")),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="cache_created_at"),
            models.Index(fields=["hit_count"], name="cache_hit_count"),
        ]

    def __str__(self) -> str:
        # Older installations' tables take an entry without a hash.
        named = BY_KEY.get(self.category)
        return f"{(self.image_hash or '')[:12]}… {named.name if named else self.category}"

    @property
    def corrector(self) -> str:
        """Who corrected it, as text: a staff member, or a number of users of an app."""
        if self.correcting_app is None:
            return str(self.corrected_by or _("yes"))
        count = self.correcting_users or 0
        sentence = ngettext("%(count)d user of %(app)s", "%(count)d users of %(app)s", count)
        return sentence % {"count": count, "app": self.correcting_app}

    def correct(self, category: str, *, by: User) -> None:
        """Correct the category, without saving; choosing the model's own category undoes the
        correction.

        Changes CORRECTION_FIELDS only.
        """
        self._set_category(category)
        self._set_corrector(by)

    def describe(self, description: str | None, *, by: User) -> None:
        """Correct the description, without saving. Changes CORRECTION_FIELDS only."""
        own = (self.description or "") if self.model_description is None else self.model_description
        self.description = description
        self.model_description = own if (description or "") != own else None
        self._mark_corrected()
        self._set_corrector(by)

    def correct_by_users(self, category: str, *, app: App, users: int) -> None:
        """Correct the category on behalf of `users` users of an app, without saving."""
        self._set_category(category)
        self.corrected_by = None
        self.correcting_app = app if self.corrected_at else None
        self.correcting_users = users if self.corrected_at else None

    def _set_category(self, category: str) -> None:
        by_model = self.model_category or self.category
        self.category = category
        self.model_category = by_model if category != by_model else None
        if category == IDCARD:  # the text on ID cards is not stored
            self.description = self.model_response = self.model_description = None
        self._mark_corrected()

    def _mark_corrected(self) -> None:
        is_correction = self.model_category is not None or self.model_description is not None
        self.corrected_at = timezone.now() if is_correction else None
        self.ask_again = False

    def _set_corrector(self, by: User) -> None:
        self.corrected_by = by if self.corrected_at else None
        self.correcting_app = self.correcting_users = None
        self.reviewed_at = timezone.now()


class DeclaredHash(models.Model):
    """The hash of an original file that a client declared for an upload, which is a smaller copy of
    it. See pipeline/declared_hashes.py.

    `has_token`: the user id comes from a token and so is not forged; it is a different user from
    one of the same id without a token.
    """

    declared_hash = models.CharField(_("declared hash"), max_length=64)
    app_id = models.PositiveIntegerField()
    user_id = ExactCharField(_("user"), max_length=64)
    has_token = models.BooleanField()
    image_hash = models.CharField(_("photo hash"), max_length=64, db_index=True)
    asked_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "declared_hash"
        constraints = [
            models.UniqueConstraint(
                fields=["declared_hash", "app_id", "has_token", "user_id"],
                name="declared_hash_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.declared_hash[:12]}… {self.image_hash[:12]}…"
