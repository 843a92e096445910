"""Counts requests per minute, in the shared cache or else per process."""

import logging
import time

from django.core.cache import cache

from clients.directory import AppInfo
from core.sharing.cache_errors import cache_errors

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
# App id -> the minute and the count this process saw last.
_seen: dict[int, tuple[int, int]] = {}


def seconds_to_wait(app: AppInfo) -> int:
    """Count a request; return 0, or the seconds until the app's next one is allowed.

    DRF's SimpleRateThrottle was considered: it keeps the times of all requests in one value that it
    reads and writes back, which loses concurrent requests, and is slow at a thousand per minute.
    While the cache is down, no request is rejected.
    """
    if app.requests_per_minute is None:
        return 0
    now = int(time.time())
    minute = now // WINDOW_SECONDS
    key = f"requests-{app.id}-{minute}"
    try:
        cache.add(key, 0, 2 * WINDOW_SECONDS)
        count = cache.incr(key)
    except cache_errors(ValueError) as error:
        logger.warning("Requests a minute are not counted: %s", type(error).__name__)
        return 0
    _seen[app.id] = minute, count
    return WINDOW_SECONDS - now % WINDOW_SECONDS if count > app.requests_per_minute else 0


def requests_seen(app: AppInfo) -> int:
    """The count of this minute's requests when this process last looked."""
    minute, count = _seen.get(app.id, (0, 0))
    return count if minute == int(time.time()) // WINDOW_SECONDS else 0
