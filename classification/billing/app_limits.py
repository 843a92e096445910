"""Enforces an app's daily limits around each model call for one of its new photos."""

import contextlib
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from classification.billing import daily_limit
from classification.choices import OK
from classification.models import ModelCall, RequestLog
from classification.providers import registry
from clients import quotas
from clients.directory import AppInfo, Usage
from clients.models import App, QuotaReservation
from clients.quotas import Requester
from core import wall_clock
from core.money import in_yuan
from core.sharing.cache_errors import cache_errors

USAGE_SECONDS = 10


class LimitUse(NamedTuple):
    """An app's usage against one of its daily limits: of new photos, or of yuan."""

    app: str
    is_money: bool
    used: Decimal
    limit: Decimal

    @property
    def left(self) -> Decimal:
        return max(self.limit - self.used, Decimal(0))

    @property
    def percent(self) -> Decimal:
        return 100 * self.used / self.limit if self.limit else Decimal(100)


def reserve(requester: Requester, prompt: str) -> QuotaReservation | None:
    """Reserve one new photo and the maximum cost of asking about it from today's quota; None for an
    app without limits. Raises QuotaExceeded and DatabaseError."""
    side = settings.LLM_IMAGE_MAX_SIDE
    most = sum(
        daily_limit.max_cost(prompt, one.models_today(), side) for one in registry.configured()
    )
    return quotas.reserve(requester, most, _used_before)


def usage(app: AppInfo) -> Usage:
    """What the app has used today: exact if it has daily limits, else at most USAGE_SECONDS old."""
    counted = quotas.usage(app.id) if app.has_day_limits else None
    if counted:
        return counted
    day = timezone.localdate()
    name = f"used-{app.id}-{day}"
    try:
        new_photos, cost = map(int, cache.get(name))
    # Redis is down, or the value is missing or invalid.
    except cache_errors(TypeError, ValueError):
        new_photos, cost = _used_before(app.id, day)
        with contextlib.suppress(*cache_errors()):
            cache.set(name, (new_photos, cost), USAGE_SECONDS)
    return Usage(day, new_photos, cost)


def limit_uses(app: App) -> list[LimitUse]:
    """Today's usage against each daily limit of the app."""
    info = AppInfo.of(app)
    if not info.has_day_limits:
        return []
    used = usage(info)
    found = []
    if info.new_photos_per_day is not None:
        photos, limit = Decimal(used.new_photos), Decimal(info.new_photos_per_day)
        found.append(LimitUse(app.name, False, photos, limit))
    if info.cost_per_day is not None:
        cost, limit = in_yuan(used.cost), in_yuan(info.cost_per_day)
        found.append(LimitUse(app.name, True, cost, limit))
    return found


def _used_before(app_id: int, day: date) -> tuple[int, int]:
    """The new photos of a day, from the request log, and the cost of its calls (millionths of a
    yuan), as its counter counts it: for apps that got their limit during the day."""
    rows = RequestLog.objects.filter(created_date=day, app_id=app_id, from_cache=False)
    midnight = wall_clock.midnight(day)
    calls = ModelCall.objects.filter(created_at__gte=midnight, app_id=app_id)
    return rows.filter(outcome=OK).count(), daily_limit.spent(calls)
