"""The dashboard."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from rest_framework.exceptions import ValidationError

from classification.errors import ServiceError
from clients import pseudonyms
from clients.directory import directory
from clients.models import ANONYMOUS_ID, App
from core.staff import StaffRequest, staff_only
from stats import ranges
from stats.api.serializers import RangeQuery
from stats.api.views import MINUTES_UNAVAILABLE
from stats.dashboard.contents import Dashboard, read_dashboard
from stats.ranges import MinutesUnavailable

# Query parameter, as of /api/v1/stats/range -> label.
RANGES = {
    "1h": _("Last hour"),
    "today": _("Today"),
    "24h": _("24 hours"),
    "7d": _("7 days"),
    "30d": _("30 days"),
    "90d": _("90 days"),
}
# The figures of one app are by the day.
RANGES_OF_AN_APP = {name: label for name, label in RANGES.items() if name in ranges.DAYS}
DEFAULT = {"last": "30d"}
REFRESH_SECONDS = 30


@staff_only
@require_GET
def dashboard(request: StaffRequest) -> HttpResponse:
    """The dashboard; an open page requests it again and swaps in what has changed."""
    asked = {name: request.GET[name] for name in ("last", "start", "end") if name in request.GET}
    name = request.GET.get("app")
    app = get_object_or_404(App, name=name) if name else None
    trouble, query = "", asked or DEFAULT
    try:
        try:
            shown = _read(query, app)
        except (ValidationError, MinutesUnavailable) as error:
            trouble, query = _sentence(error), DEFAULT
            shown = _read(query, app)
    except ServiceError as error:
        return render(request, "dashboard/behind.html", {"error": error}, status=error.status)
    trend = _columns(shown)
    offered = RANGES_OF_AN_APP if shown.app else RANGES
    _stay_logged_in(request, shown.made_at.date())
    context = {
        "dashboard": shown,
        "trend": trend,
        "last_day": (shown.trend["end"] - timedelta.resolution).date(),
        "latest": {name: values[-1] for name, values in trend.items() if values},
        "apps": sorted(directory.names() | ({app.name} if app else set())),
        "ranges": offered,
        "range": query.get("last"),
        "range_name": offered.get(query.get("last", "")),
        "range_trouble": trouble,
        "wall": "wall" in request.GET and not shown.app,
        "refresh_seconds": REFRESH_SECONDS,
        "open_to_all": _is_open_to_all(),
        "counts_users": settings.USER_IDS != pseudonyms.DROP,
    }
    return render(request, "dashboard/page.html", context)


def _read(query: dict[str, str], app: App | None) -> Dashboard:
    wanted = RangeQuery(data=query)
    wanted.is_valid(raise_exception=True)
    return read_dashboard(wanted.validated_data["range"], wanted.validated_data["step"], app)


def _sentence(error: ValidationError | MinutesUnavailable) -> str:
    if isinstance(error, MinutesUnavailable):
        return str(MINUTES_UNAVAILABLE)
    details: Any = error.detail
    return " ".join(str(each) for sentences in details.values() for each in sentences)


def _is_open_to_all() -> bool:
    """Whether anonymous clients can spend without limit."""
    anonymous = directory.app(ANONYMOUS_ID)
    is_bounded = settings.DAILY_COST_LIMIT is not None or settings.LLM_PROVIDER == "local"
    return anonymous.is_active and not anonymous.has_day_limits and not is_bounded


def _stay_logged_in(request: StaffRequest, today: date) -> None:
    """Renew the session once a day, so that a wall screen never asks for a password."""
    if request.session.get("dashboard_seen") != today.isoformat():
        request.session["dashboard_seen"] = today.isoformat()


def _columns(shown: Dashboard) -> dict[str, Any]:
    """The trend as data for the charts: one list per series."""
    rows = shown.trend["points"]
    return {
        "step": shown.trend["step"],
        "starts": [timezone.make_aware(row["start"]).isoformat() for row in rows],
        "ends": [timezone.make_aware(row["end"]).isoformat() for row in rows],
        "hits": [row["cache_hits"] for row in rows],
        "misses": [row["cache_misses"] - row["failed_requests"] for row in rows],
        "failures": [row["failed_requests"] for row in rows],
        "cost": [float(row["estimated_cost"]) for row in rows],
        "saved": [float(row["cost_saved"]) for row in rows],
        "marks": [{"at": mark.at.isoformat(), "label": mark.label} for mark in shown.marks],
    }
