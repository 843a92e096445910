"""The reports that can be exported: columns, and rows for a range of days."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from classification.templatetags.figures import category_name
from stats.by_app.names import app_names
from stats.figures import Figures
from stats.models import User

VIEW_CALLS = "classification.view_modelcall"


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `columns` maps keys of rows to headings; `rows` takes the first and last day,
    inclusive. `at_most` returns the maximum number of rows, for progress bars. `permission` is
    that of the page that shows the same."""

    columns: Mapping[str, Promise]
    rows: Callable[[Figures, date, date], Iterable[Mapping[str, Any]]]
    at_most: Callable[[], int] | None = None
    permission: str = "classification.view_requestlog"


def _apps(figures: Figures, first: date, last: date) -> Iterable[Mapping[str, Any]]:
    names = app_names()
    for row in figures.apps(first, last):
        yield {"app": names.get(row["app_id"], row["app_id"]), **row}


def _bill(figures: Figures, first: date, last: date) -> Iterable[Mapping[str, Any]]:
    names = app_names()
    for row in figures.bill(first, last):
        yield {"app": names.get(row["app_id"], row["app_id"]), **row}


def _categories(figures: Figures, first: date, last: date) -> Iterable[Mapping[str, Any]]:
    for row in figures.categories(first, last):
        shares = {name: round(float(row[name]), 4) for name in ("percentage", "avg_confidence")}
        yield {"name": category_name(row["category"]), **row, **shares}


# Columns shared by the ledger and the bill.
CALLS = {
    "calls": _("Calls"),
    "billed_calls": _("Billed calls"),
    "input_tokens": _("Input tokens"),
    "cached_tokens": _("Cached tokens"),
    "output_tokens": _("Output tokens"),
    "billed_cost": _("Cost (yuan)"),
    "estimated_billed_cost": _("Estimated part of it (yuan)"),
    "perhaps_billed_calls": _("Possibly billed calls"),
    "perhaps_billed_cost": _("Possibly billed (yuan)"),
}

REPORTS = {
    "days": Report(
        {
            "date": _("Day"),
            "total_requests": _("Requests"),
            "cache_hits": _("Hits"),
            "cache_misses": _("Misses"),
            "failed_requests": _("Failures"),
            "cache_hit_rate": _("Hit rate (%)"),
            "unique_users": _("Users"),
            "unique_ips": _("Addresses"),
            "avg_processing_time_ms": _("Average time (ms)"),
            "p95_processing_time_ms": _("95th percentile (ms)"),
            "estimated_cost": _("Spent (yuan)"),
            "cost_saved": _("Saved (yuan)"),
        },
        Figures.by_day,
    ),
    "categories": Report(
        {
            "category": _("Category key"),
            "name": _("Category"),
            "count": _("Photos"),
            "percentage": _("Share (%)"),
            "avg_confidence": _("Average confidence"),
        },
        _categories,
    ),
    "users": Report(
        {
            "user_id": _("User"),
            "request_count": _("Requests"),
            "cache_hits": _("Hits"),
            "cache_hit_rate": _("Hit rate (%)"),
            "new_photos": _("New photos"),
            "cost": _("Spent (yuan)"),
            "first_request": _("First request"),
            "last_request": _("Last request"),
        },
        Figures.users,
        at_most=User.objects.count,
    ),
    "apps": Report(
        {
            "app": _("App"),
            "total_requests": _("Requests"),
            "cache_hits": _("Hits"),
            "new_photos": _("New photos"),
            "failed_requests": _("Failures"),
            "cache_hit_rate": _("Hit rate (%)"),
            "estimated_cost": _("Spent (yuan)"),
            "cost_saved": _("Saved (yuan)"),
        },
        _apps,
    ),
    "ledger": Report(
        {"day": _("Day"), "model": _("Model"), **CALLS},
        Figures.ledger,
        permission=VIEW_CALLS,
    ),
    "bill": Report(
        {"day": _("Day"), "model": _("Model"), "app": _("App"), **CALLS},
        _bill,
        permission=VIEW_CALLS,
    ),
}
