"""Apps, their keys, and the usage of their limits."""

from datetime import datetime

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients import keys

# The app of requests without a credential, created by the first migration; log rows from before
# there were apps belong to it.
ANONYMOUS_ID = 1
ANONYMOUS = "anonymous"
# The fields of an app that bound what it may do.
LIMITS = (
    "new_photos_per_day",
    "cost_per_day",
    "requests_per_minute",
    "user_new_photos_per_day",
    "address_new_photos_per_day",
)


class AppManager(models.Manager["App"]):
    def anonymous(self) -> "App":
        """The app of requests without a credential."""
        return self.get_or_create(pk=ANONYMOUS_ID, defaults={"name": ANONYMOUS})[0]


class App(models.Model):
    """An API client and its limits; None means no limit. Apps are never deleted, since statistics
    refer to them, but disabled."""

    name = models.CharField(
        _("name"),
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^[\w.-]+$", _("Letters, digits, and . _ - only."))],
    )
    contact = models.CharField(
        _("contact"),
        max_length=200,
        default="",
        blank=True,
        help_text=_("Who to contact when the app misbehaves."),
    )
    is_active = models.BooleanField(
        _("on"), default=True, help_text=_("An app that is off is refused with all of its keys.")
    )
    is_trusted = models.BooleanField(
        _("trusted"),
        default=False,
        help_text=_("A hash that one of its users declares for a photo counts for all of them."),
    )
    corrections_by_users = models.PositiveSmallIntegerField(
        _("users who correct an answer"),
        null=True,
        blank=True,
        validators=[MinValueValidator(2)],
        help_text=_(
            "When one category has so many more votes than all others together, counting only "
            "users with tokens, the answer is corrected for everybody, unless staff have decided "
            "about it. Empty: votes correct nothing."
        ),
    )
    new_photos_per_day = models.PositiveIntegerField(
        _("new photos per day"),
        null=True,
        blank=True,
        help_text=_("New photos are uploads that the cache does not answer. Empty: no limit."),
    )
    cost_per_day = models.DecimalField(
        _("daily spending limit (yuan)"),
        max_digits=12,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests per minute"),
        null=True,
        blank=True,
        help_text=_("Counted by each process alone unless CACHE_URL names a Redis."),
    )
    user_new_photos_per_day = models.PositiveIntegerField(
        _("new photos per user per day"), null=True, blank=True
    )
    address_new_photos_per_day = models.PositiveIntegerField(
        _("new photos per address per day"),
        null=True,
        blank=True,
        help_text=_("For requests that name no user."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = AppManager()

    class Meta:
        db_table = "client_app"
        verbose_name = _("app")
        verbose_name_plural = _("apps")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_anonymous(self) -> bool:
        return self.pk == ANONYMOUS_ID

    def limits(self) -> dict[str, int | float | None]:
        """The limits by the names of LIMITS, ready for JSON."""
        limits = {name: getattr(self, name) for name in LIMITS}
        if limits["cost_per_day"] is not None:
            limits["cost_per_day"] = float(limits["cost_per_day"])
        return limits

    @property
    def can_spend_without_limit(self) -> bool:
        """Whether neither photos nor cost per day are limited."""
        return self.is_active and self.new_photos_per_day is None and self.cost_per_day is None


class AppKeyManager(models.Manager["AppKey"]):
    def usable(self) -> models.QuerySet["AppKey"]:
        """The keys that are neither revoked nor expired."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        return self.filter(unexpired, revoked_at=None)

    def issue(self, app: App) -> tuple["AppKey", str]:
        """Create a key for the app; return it with its text, which is not stored."""
        text = keys.generate()
        key = self.create(app=app, prefix=keys.prefix_of(text), digest=keys.digest(text))
        return key, text

    def rotate(self, app: App, *, until: datetime) -> tuple["AppKey", str]:
        """Create a new key; the app's existing keys expire at `until`."""
        for older in self.usable().filter(app=app):
            if older.expires_at is None or older.expires_at > until:
                older.expires_at = until
                older.save(update_fields=["expires_at"])
        return self.issue(app)


class AppKey(models.Model):
    """A key of an app, stored as its SHA-256: with 238 random bits it needs no slow hash. The
    public prefix identifies it."""

    app = models.ForeignKey(
        App, verbose_name=_("app"), on_delete=models.PROTECT, related_name="keys"
    )
    prefix = models.CharField(_("begins with"), max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    use_count = models.PositiveBigIntegerField(_("times used"), default=0)

    objects = AppKeyManager()

    class Meta:
        db_table = "client_app_key"
        verbose_name = _("app key")
        verbose_name_plural = _("app keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and (
            self.expires_at is None or self.expires_at > timezone.now()
        )

    def revoke(self) -> None:
        """Revoke the key, and the user tokens issued with it, for good."""
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])


class QuotaCounter(models.Model):
    """The usage of a limit on a local day: of an app, of one user, or of one address. The subject
    is a digest, to store no personal data.

    `new_photos` includes those in progress; money is in millionths of a yuan, since integers
    compare exactly in every database. Only used where there is a limit.
    """

    class Scope(models.TextChoices):
        APP = "app"
        USER = "user"
        ADDRESS = "address"

    day = models.DateField()
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=8, choices=Scope.choices)
    subject = models.CharField(max_length=64, default="", blank=True)
    new_photos = models.IntegerField(default=0)
    spent = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)

    class Meta:
        db_table = "client_quota_counter"
        constraints = [
            models.UniqueConstraint(
                fields=["day", "app", "scope", "subject"], name="client_quota_counter_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.app_id} {self.scope}"


class QuotaReservation(models.Model):
    """A new photo and its maximum cost, reserved while a model call is in progress; those of killed
    processes are found by their age."""

    token = models.CharField(max_length=32, primary_key=True)
    counter = models.ForeignKey(
        QuotaCounter, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    subject_counter = models.ForeignKey(
        QuotaCounter, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    amount = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "client_quota_reservation"

    def __str__(self) -> str:
        return self.token


class ForgottenUser(models.Model):
    """A user of an app, or of all apps, who is being forgotten: no request may be written under
    their name, or once `began_before` is set, none that began before it. The subject is a
    digest."""

    subject = models.CharField(max_length=64)
    app = models.ForeignKey(App, null=True, on_delete=models.CASCADE, related_name="+")
    began_before = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "client_forgotten_user"

    def __str__(self) -> str:
        return f"{self.subject[:12]}…"
