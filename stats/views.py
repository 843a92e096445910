"""The dashboard."""

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from classification.errors import Refusal
from classifier_project.staff import StaffRequest, staff_only
from stats.board import Board, board

TREND_DAYS = (7, 30, 90)
REFRESH_SECONDS = 30


@staff_only
@require_GET
def dashboard(request: StaffRequest) -> HttpResponse:
    """The whole page; a page that is open fetches it again and takes over what has changed."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, TREND_DAYS) else 30
    try:
        shown = board(days)
    except Refusal as refusal:
        return render(request, "dashboard/behind.html", {"refusal": refusal}, status=refusal.status)
    trend = _columns(shown)
    _stay_logged_in(request, shown.made_at.date())
    context = {
        "board": shown,
        "trend": trend,
        "latest": {name: values[-1] for name, values in trend.items()},
        "days": days,
        "all_days": TREND_DAYS,
        "wall": "wall" in request.GET,
        "refresh_seconds": REFRESH_SECONDS,
    }
    return render(request, "dashboard/page.html", context)


def _stay_logged_in(request: StaffRequest, today: date) -> None:
    """Renew the session once a day: a screen on the wall is not to ask for a password."""
    if request.session.get("dashboard_seen") != today.isoformat():
        request.session["dashboard_seen"] = today.isoformat()


def _columns(shown: Board) -> dict[str, list[Any]]:
    """The trend as the charts take it: one list per series."""
    rows = shown.trend
    return {
        "dates": [row["date"].isoformat() for row in rows],
        "hits": [row["cache_hits"] for row in rows],
        "misses": [row["cache_misses"] - row["failed_requests"] for row in rows],
        "failures": [row["failed_requests"] for row in rows],
        "cost": [float(row["estimated_cost"]) for row in rows],
        "saved": [float(row["cost_saved"]) for row in rows],
    }
