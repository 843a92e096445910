"""Login attempt counts, and dismissed cards of the dashboard."""

import hashlib
import math
from datetime import timedelta

from django.db import models
from django.utils import timezone

from accounts.api_tokens import ApiToken as ApiToken
from core.database.transactions import write_atomically

WINDOW = timedelta(minutes=15)
LEFT_OVER = timedelta(days=1)


class AttemptCountManager(models.Manager["AttemptCount"]):
    def attempt(self, kind: str, value: str, limit: int) -> int:
        """Count an attempt before its result is known, so that concurrent ones cannot exceed the
        limit. Returns 0, or the seconds to wait until attempts are possible again; those made
        meanwhile do not count."""
        return write_atomically(self._attempt, _key(kind, value), limit)

    def _attempt(self, key: str, limit: int) -> int:
        now = timezone.now()
        self.get_or_create(key=key, defaults={"since": now})
        count = self.select_for_update().get(key=key)
        if not now - WINDOW < count.since <= now + WINDOW:  # over, or written by a wrong clock
            count.since, count.attempts = now, 0
        if count.attempts >= limit:
            return math.ceil((count.since + WINDOW - now).total_seconds())
        count.attempts += 1
        count.save()
        return 0

    def wait(self, kind: str, value: str, limit: int) -> int:
        """The seconds that attempt() would return, without counting an attempt."""
        now = timezone.now()
        lately = self.filter(since__gt=now - WINDOW, since__lte=now + WINDOW)
        count = lately.filter(key=_key(kind, value), attempts__gte=limit).first()
        rest = (count.since + WINDOW - now).total_seconds() if count else 0
        return max(math.ceil(rest), 0)

    def forgive(self, kind: str, value: str) -> None:
        """Uncount an attempt that was not a failure."""
        self.filter(key=_key(kind, value), attempts__gt=0).update(attempts=models.F("attempts") - 1)

    def forget(self, kind: str, value: str) -> None:
        """Reset the count after a success, and delete old counts."""
        self.filter(key=_key(kind, value)).delete()
        self.filter(since__lt=timezone.now() - LEFT_OVER).delete()


class AttemptCount(models.Model):
    """Attempts of an account, address or device since `since`. The key is a digest, to store no
    personal data."""

    key = models.CharField(max_length=64, primary_key=True)
    attempts = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()

    objects = AttemptCountManager()

    class Meta:
        db_table = "login_attempt_count"

    def __str__(self) -> str:
        return f"{self.key[:12]}… {self.attempts}"


class DismissedCard(models.Model):
    """An advice card of the dashboard that was dismissed, for the whole installation."""

    name = models.CharField(max_length=32, primary_key=True)
    dismissed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "dismissed_card"

    def __str__(self) -> str:
        return self.name


def _key(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}\0{value}".encode()).hexdigest()
