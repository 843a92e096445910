"""The headers RateLimit-Policy and RateLimit (IETF draft-ietf-httpapi-ratelimit-headers-10).

They show what this process knows, a few seconds old at most; `GET /usage` is exact.
"""

import time
from typing import NamedTuple

from clients import quotas, throttle
from clients.directory import AppInfo, directory
from core.money import MILLION

DAY_SECONDS = 86_400
FEN = MILLION // 100


class _Limit(NamedTuple):
    name: str
    quota: int
    window: int
    remaining: int
    resets_in: int


def headers(app: AppInfo) -> list[tuple[str, str]]:
    """The rate limit headers for a response to this app; empty without limits. Money is in fen."""
    if not app.has_limits:
        return []
    limits = [*_of_day(app), *_of_minute(app)]
    if not limits:
        return []
    return [
        ("RateLimit-Policy", ", ".join(f'"{x.name}";q={x.quota};w={x.window}' for x in limits)),
        ("RateLimit", ", ".join(f'"{x.name}";r={x.remaining};t={x.resets_in}' for x in limits)),
    ]


def _of_day(app: AppInfo) -> list[_Limit]:
    if not app.has_day_limits:
        return []
    used = directory.usage(app.id)
    seconds = quotas.seconds_left(used.day)
    found = []
    if (photos := app.new_photos_per_day) is not None:
        rest = max(photos - used.new_photos, 0)
        found.append(_Limit("new-photos", photos, DAY_SECONDS, rest, seconds))
    if (cost := app.cost_per_day) is not None:
        rest = max(cost - used.cost, 0) // FEN
        found.append(_Limit("cost-fen", cost // FEN, DAY_SECONDS, rest, seconds))
    return found


def _of_minute(app: AppInfo) -> list[_Limit]:
    limit = app.requests_per_minute
    if limit is None:
        return []
    window = throttle.WINDOW_SECONDS
    rest = max(limit - throttle.requests_seen(app), 0)
    return [_Limit("requests", limit, window, rest, window - int(time.time()) % window)]
