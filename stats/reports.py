"""What can be exported: the columns of each report, and its rows for a span of days."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stats import queries, users
from stats.models import User
from stats.tail import Tail


@dataclass(frozen=True, slots=True)
class Report:
    """`columns` are the keys of its rows with their headings; `rows` takes a first and a last
    day, both included. `at_most` is how many rows those may be that come one by one."""

    columns: Mapping[str, Promise]
    rows: Callable[[Tail, date, date], Iterable[Mapping[str, Any]]]
    at_most: Callable[[], int] | None = None


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
            "p95_processing_time_ms": _("95% answered within (ms)"),
            "estimated_cost": _("Spent (yuan)"),
            "cost_saved": _("Saved (yuan)"),
        },
        queries.by_day,
    ),
    "categories": Report(
        {
            "category": _("Category"),
            "count": _("Photos"),
            "percentage": _("Share (%)"),
            "avg_confidence": _("Average confidence"),
        },
        queries.categories,
    ),
    "users": Report(
        {
            "user_id": _("User"),
            "request_count": _("Requests"),
            "cache_hits": _("Hits"),
            "cache_hit_rate": _("Hit rate (%)"),
            "first_request": _("First request"),
            "last_request": _("Last request"),
        },
        users.users,
        at_most=User.objects.count,
    ),
    "ledger": Report(
        {
            "day": _("Day"),
            "model": _("Model"),
            "calls": _("Calls"),
            "billed_calls": _("Billed calls"),
            "input_tokens": _("Input tokens"),
            "output_tokens": _("Output tokens"),
            "billed_cost": _("Cost (yuan)"),
            "perhaps_billed_calls": _("Perhaps billed calls"),
            "perhaps_billed_cost": _("Perhaps billed (yuan)"),
        },
        queries.ledger,
    ),
}
