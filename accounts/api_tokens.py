"""API tokens that staff create for their scripts: named, shown once, stored as a hash."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# As long as DRF's keys, so that a staff token is recognised by its form.
KEY_BYTES = 20
SHOWN = 6
# last_used_at is updated at most this often.
USE_RESOLUTION = timedelta(minutes=5)


class ApiTokenManager(models.Manager["ApiToken"]):
    def make(self, user: User, name: str, days: int | None) -> tuple["ApiToken", str]:
        """Create a token that is valid for `days`, or forever if None; return it with its key,
        which is not stored."""
        key = secrets.token_hex(KEY_BYTES)
        until = timezone.now() + timedelta(days=days) if days else None
        token = self.create(
            user=user, name=name, digest=_digest(key), begins_with=key[:SHOWN], expires_at=until
        )
        return token, key

    def find(self, key: str) -> "ApiToken | None":
        """The valid token with this key, if any; updates last_used_at."""
        now = timezone.now()
        good = Q(expires_at=None) | Q(expires_at__gt=now)
        token = self.select_related("user").filter(good, digest=_digest(key)).first()
        if token and (not token.last_used_at or token.last_used_at < now - USE_RESOLUTION):
            self.filter(pk=token.pk).update(last_used_at=now)
        return token


class ApiToken(models.Model):
    """An API token of a staff account."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(_("name"), max_length=64)
    digest = models.CharField(max_length=64, unique=True)
    begins_with = models.CharField(max_length=SHOWN)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    objects = ApiTokenManager()

    class Meta:
        db_table = "api_token"

    def __str__(self) -> str:
        return f"{self.name} {self.begins_with}…"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
