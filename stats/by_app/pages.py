"""The pages of apps: a list of all, and one page each with figures and limits."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from classification.billing.app_limits import limit_uses
from classification.errors import ServiceError
from clients import pseudonyms
from clients.models import App
from core.staff import StaffRequest, staff_only
from stats.figures import current_figures

PAGE_DAYS = 30
TOP_USERS = 20


@staff_only
@require_GET
def apps(request: StaffRequest) -> HttpResponse:
    """Every app, with its figures of the last days and its use of today's limits."""
    try:
        with current_figures() as figures:
            rows = {row["app_id"]: row for row in figures.apps(*_days())}
    except ServiceError as error:
        return render(request, "dashboard/behind.html", {"error": error}, status=error.status)
    listed = [
        {"app": app, "limits": limit_uses(app), "row": rows.get(app.pk)}
        for app in App.objects.all()
    ]
    return render(request, "apps/list.html", {"apps": listed, "days": PAGE_DAYS})


@staff_only
@require_GET
def app(request: StaffRequest, app_id: int) -> HttpResponse:
    """One app: today's limits, its days, its failures and who of its users asks most."""
    shown = get_object_or_404(App, pk=app_id)
    first, last = _days()
    try:
        with current_figures() as figures:
            context: dict[str, Any] = {
                "trend": figures.app_days(app_id, first, last)[::-1],
                "errors": figures.app_errors(app_id, first, last),
                "users": figures.app_users(app_id, first, last, TOP_USERS),
            }
    except ServiceError as error:
        return render(request, "dashboard/behind.html", {"error": error}, status=error.status)
    context |= {
        "app": shown,
        "limits": limit_uses(shown),
        "days": PAGE_DAYS,
        "counts_users": settings.USER_IDS != pseudonyms.DROP,
    }
    return render(request, "apps/page.html", context)


def _days() -> tuple[date, date]:
    last = timezone.localdate()
    return last - timedelta(days=PAGE_DAYS - 1), last
