"""Gathers everything the dashboard shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from classification.billing import daily_limit
from classification.billing.daily_limit import Spending
from classification.choices import OK
from classification.models import CacheEntry, ModelCall, PromptVersion
from classification.monitoring import health, processes, retirements
from classification.monitoring.retirements import Notice
from classification.monitoring.service_status import Service
from classification.providers import registry
from clients.models import ANONYMOUS_ID, App
from stats.dashboard import marks
from stats.dashboard.marks import Mark
from stats.figures import Figures, current_figures
from stats.merging import Row
from stats.models import CacheTotals
from stats.ranges import MINUTES, Step, TimeRange
from stats.rollup import cache_totals

POPULAR_ENTRIES = 8
TOP_USERS = 8
LAST_CALL_WITHIN = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The contents of the dashboard.

    `yesterday` covers the same hours as `today`, to the minute. `last_call` is the last successful
    one, if recent; `hours` are the points of the last 24 hours; `trend` has the figures of the
    chosen range, with an `end` for each point. For one `app`, `users` are today's, and what is not
    counted by app is None or empty.
    """

    app: App | None
    made_at: datetime
    health: health.Health
    service: Service
    spending: Spending | None
    model: str
    notices: list[Notice]
    last_call: ModelCall | None
    prompt: PromptVersion
    today: Row
    trend: Row
    marks: Sequence[Mark]
    users: Sequence[Row]
    yesterday: Row | None = None
    hours: Sequence[Row] = ()
    efficiency: Row | None = None
    popular: Sequence[CacheEntry] = ()


def read_dashboard(wanted: TimeRange, step: Step, app: App | None = None) -> Dashboard:
    """The dashboard as it is now, with the figures of a range; with an app, those of the app on the
    days that the range touches.

    Raises ServiceError(statistics_behind) when too many rows have to be rolled up first, and
    MinutesUnavailable.
    """
    prompt = PromptVersion.objects.current()
    if app is None:
        totals = cache_totals.current()
    with current_figures() as figures:
        shown = _of_app(figures, wanted, app) if app else _of_all(figures, wanted, step, totals)
        return Dashboard(
            app=app,
            made_at=timezone.localtime(),
            health=health.check(),
            service=Service(processes.all_states()),
            spending=daily_limit.today(),
            model="" if settings.LLM_PROVIDER == "local" else registry.models()[0],
            notices=retirements.notices(),
            last_call=_last_answered_call(),
            prompt=prompt,
            marks=marks.of(wanted, figures),
            **shown,
        )


def _of_all(figures: Figures, wanted: TimeRange, step: Step, totals: CacheTotals) -> dict[str, Any]:
    trend = figures.of(wanted, step)
    return {
        "today": _with_misses(figures.today()),
        "yesterday": figures.same_hours_yesterday(),
        "hours": figures.points_of(TimeRange.named("24h"), "hour"),
        "efficiency": figures.cache_efficiency(totals),
        "users": figures.top_users(TOP_USERS),
        "popular": list(CacheEntry.objects.order_by("-hit_count")[:POPULAR_ENTRIES]),
        "trend": trend | {"points": [_bounded(point, wanted, step) for point in trend["points"]]},
    }


def _of_app(figures: Figures, wanted: TimeRange, app: App) -> dict[str, Any]:
    trend = figures.app_range(app.pk, *wanted.touched_days)
    whole = TimeRange(trend["start"], trend["end"])
    day = timezone.localdate()
    today = figures.app_sums(app.pk, day, day) | figures.uncertain_costs(day, app.pk)
    users: list[Row] = []
    if app.pk != ANONYMOUS_ID:  # whose users are not counted apart from those of other apps
        today["unique_users"] = figures.app_user_count(app.pk, day)
        users = figures.app_users(app.pk, day, day, TOP_USERS)
    return {
        "today": _with_misses(today),
        "users": users,
        "trend": trend | {"points": [_bounded(point, whole, "day") for point in trend["points"]]},
    }


def _with_misses(figures: Row) -> Row:
    """Add the misses that were answered, as in the chart, where a failure is not counted as a
    miss."""
    return figures | {"answered_misses": figures["cache_misses"] - figures["failed_requests"]}


def _bounded(point: Row, wanted: TimeRange, step: Step) -> Row:
    """A point with `start` and `end`, clipped to the range."""
    end = point["start"] + timedelta(minutes=MINUTES[step])
    return point | {"start": max(point["start"], wanted.start), "end": min(end, wanted.end)}


def _last_answered_call() -> ModelCall | None:
    # Without a limit, a ledger with nothing but failures would be read completely.
    recent = timezone.now() - LAST_CALL_WITHIN
    calls = ModelCall.objects.filter(outcome=OK, created_at__gte=recent)
    return calls.order_by("-created_at").first()
