"""Who has lately failed to log in, counted for all processes and hosts together."""

import hashlib
import math
from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

WINDOW = timedelta(minutes=15)
LEFT_OVER = timedelta(days=1)


class AttemptCountManager(models.Manager["AttemptCount"]):
    def attempt(self, kind: str, value: str, limit: int) -> int:
        """Count an attempt in, before it is known how it ends, so that many at once cannot get
        past the limit. Gives 0, or the seconds to wait until attempts are free again; those
        made meanwhile do not count."""
        now, key = timezone.now(), _key(kind, value)
        with transaction.atomic():
            self.get_or_create(key=key, defaults={"since": now})
            count = self.select_for_update().get(key=key)
            if count.since + WINDOW <= now:
                count.since, count.attempts = now, 0
            if count.attempts >= limit:
                return math.ceil((count.since + WINDOW - now).total_seconds())
            count.attempts += 1
            count.save()
        return 0

    def wait(self, kind: str, value: str, limit: int) -> int:
        """The seconds to wait, as attempt() would give them, without counting one."""
        count = self.filter(key=_key(kind, value), attempts__gte=limit).first()
        rest = (count.since + WINDOW - timezone.now()).total_seconds() if count else 0
        return max(math.ceil(rest), 0)

    def forgive(self, kind: str, value: str) -> None:
        """Take one attempt back: it was no failure."""
        self.filter(key=_key(kind, value), attempts__gt=0).update(attempts=models.F("attempts") - 1)

    def forget(self, kind: str, value: str) -> None:
        """Begin anew, after a success; and let go of what is long over."""
        self.filter(key=_key(kind, value)).delete()
        self.filter(since__lt=timezone.now() - LEFT_OVER).delete()


class AttemptCount(models.Model):
    """Attempts of one account, address or device since a moment. The key is a digest: who it
    was is not kept."""

    key = models.CharField(max_length=64, primary_key=True)
    attempts = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()

    objects = AttemptCountManager()

    class Meta:
        db_table = "login_attempt_count"

    def __str__(self) -> str:
        return f"{self.key[:12]}… {self.attempts}"


def _key(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}\0{value}".encode()).hexdigest()
