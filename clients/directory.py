"""This process's copy of apps and usable keys, so that requests need no query.

Changes by staff take effect at once in the process that makes them, and within LIFETIME_SECONDS in
others. A server's background thread keeps the directory fresh; a request loads it only if it is
stale. A key that is missing may be new: then the table is queried once.
"""

import threading
import time
from collections import Counter
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import F
from django.utils import timezone

from clients.models import ANONYMOUS, ANONYMOUS_ID, App, AppKey, QuotaCounter
from core.money import millionths

LIFETIME_SECONDS = 30


class AppInfo(NamedTuple):
    """The immutable facts about an app; a limit of None means no limit; money is in millionths of a
    yuan."""

    id: int
    name: str
    is_active: bool = True
    is_trusted: bool = False
    new_photos_per_day: int | None = None
    cost_per_day: int | None = None
    requests_per_minute: int | None = None
    user_new_photos_per_day: int | None = None
    address_new_photos_per_day: int | None = None

    @classmethod
    def of(cls, app: App) -> "AppInfo":
        return cls(
            id=app.pk,
            name=app.name,
            is_active=app.is_active,
            is_trusted=app.is_trusted,
            new_photos_per_day=app.new_photos_per_day,
            cost_per_day=None if app.cost_per_day is None else millionths(app.cost_per_day),
            requests_per_minute=app.requests_per_minute,
            user_new_photos_per_day=app.user_new_photos_per_day,
            address_new_photos_per_day=app.address_new_photos_per_day,
        )

    @property
    def has_limits(self) -> bool:
        return any(limit is not None for limit in self[4:])

    @property
    def has_day_limits(self) -> bool:
        return self.new_photos_per_day is not None or self.cost_per_day is not None

    def without_limits(self) -> "AppInfo":
        """The same app without limits, for staff."""
        return AppInfo(self.id, self.name, self.is_active, self.is_trusted)


# The app of requests without credentials, before the directory is loaded.
ANONYMOUS_APP = AppInfo(ANONYMOUS_ID, ANONYMOUS)


class Usage(NamedTuple):
    """An app's usage of a day, including calls in progress: new photos, and cost in millionths of a
    yuan."""

    day: date
    new_photos: int = 0
    cost: int = 0


class KeyInfo(NamedTuple):
    """A key that is not revoked; `expires_at` is in seconds since 1970."""

    id: int
    prefix: str
    digest: str
    expires_at: float | None
    app_id: int


class Directory:
    """A snapshot of all apps by id and all keys by prefix."""

    def __init__(self) -> None:
        self._apps: dict[int, AppInfo] = {}
        self._keys: dict[str, KeyInfo] = {}
        self._usage: dict[int, Usage] = {}
        # When the load that these are from began (seconds of the monotonic clock).
        self._read_at = 0.0
        self._fresh_until = 0.0
        self._changes = 0
        self._uses: Counter[int] = Counter()
        self._lock = threading.Lock()

    @property
    def has_limits(self) -> bool:
        """Whether any app has a limit."""
        return any(app.has_limits for app in self._apps.values())

    def names(self) -> set[str]:
        """The names of all apps, switched off or not; raises DatabaseError."""
        self._load_if_stale()
        return {app.name for app in self._apps.values()}

    def name(self, app_id: int) -> str:
        """The name of an app if this process knows it, else its id; makes no query."""
        app = self._apps.get(app_id)
        return app.name if app else str(app_id)

    def app(self, app_id: int) -> AppInfo:
        """The app with this id. Raises KeyError and DatabaseError."""
        self._load_if_stale()
        return self._apps[app_id]

    def key(self, prefix: str) -> KeyInfo | None:
        """The key with this prefix, if it is neither revoked nor expired; raises DatabaseError."""
        self._load_if_stale()
        key = self._keys.get(prefix)
        if key is None and AppKey.objects.filter(prefix=prefix, revoked_at=None).exists():
            self.load()
            key = self._keys.get(prefix)
        if key is None or (key.expires_at is not None and key.expires_at <= time.time()):
            return None
        return key

    def usage(self, app_id: int) -> Usage:
        """Today's usage of an app when the directory was loaded, plus this process's own since."""
        usage, today = self._usage.get(app_id), timezone.localdate()
        return usage if usage and usage.day == today else Usage(today)

    def add_usage(self, app_id: int, new_photos: int, cost: int) -> None:
        with self._lock:
            day, photos, spent = self.usage(app_id)
            self._usage[app_id] = Usage(day, photos + new_photos, spent + cost)

    def count_use(self, key: KeyInfo) -> None:
        """Count a use, to be written by the next refresh()."""
        self._uses[key.id] += 1  # a race that loses a use does not matter

    def refresh(self) -> None:
        """Reload the directory and record which keys were used; for the background thread."""
        uses, self._uses = self._uses, Counter()
        now = timezone.now()
        for key_id, count in list(uses.items()):  # a thread may be adding to it yet
            AppKey.objects.filter(pk=key_id).update(
                last_used_at=now, use_count=F("use_count") + count
            )
        self.load()

    def load(self) -> None:
        """Read all apps and keys with two queries, and the usage of limited apps with a third."""
        changes = self._changes
        began = time.monotonic()
        apps = {app.pk: AppInfo.of(app) for app in App.objects.all()}
        if ANONYMOUS_ID not in apps:
            apps[ANONYMOUS_ID] = AppInfo.of(App.objects.anonymous())
        keys = {
            prefix: KeyInfo(key_id, prefix, digest, _timestamp(expires_at), app_id)
            for key_id, prefix, digest, expires_at, app_id in AppKey.objects.filter(
                revoked_at=None
            ).values_list("pk", "prefix", "digest", "expires_at", "app_id")
        }
        usage = _usage_today() if any(app.has_day_limits for app in apps.values()) else {}
        with self._lock:
            if began < self._read_at:  # a load that began later was faster
                return
            self._read_at = began
            self._apps, self._keys, self._usage = apps, keys, usage
            if changes == self._changes:  # otherwise it may have been read before the change
                self._fresh_until = began + LIFETIME_SECONDS

    def invalidate(self) -> None:
        """Reload at the next request; call it after a change."""
        with self._lock:
            self._changes += 1
            self._fresh_until = 0.0

    def reset(self) -> None:
        """Reset to the state of a new installation; for tests."""
        with self._lock:
            self._apps, self._keys, self._usage = {ANONYMOUS_ID: ANONYMOUS_APP}, {}, {}
            self._uses.clear()
            self._fresh_until = time.monotonic() + LIFETIME_SECONDS

    def _load_if_stale(self) -> None:
        if time.monotonic() >= self._fresh_until:
            self.load()


def _usage_today() -> dict[int, Usage]:
    rows = QuotaCounter.objects.filter(day=timezone.localdate(), scope=QuotaCounter.Scope.APP)
    return {row.app_id: Usage(row.day, row.new_photos, row.spent + row.reserved) for row in rows}


def _timestamp(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


directory = Directory()
