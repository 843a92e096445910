"""What the dashboard shows, gathered in one place."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from classification import health, processes, spending
from classification.models import CacheEntry, PromptVersion
from classification.spending import Spending
from stats import cache_totals, queries
from stats.service import Service
from stats.tail import Tail, exactly
from stats.users import top_users

POPULAR_ENTRIES = 8
TOP_USERS = 8


@dataclass(frozen=True, slots=True)
class Board:
    """`yesterday` counts the same hours as `today`, up to the minute.

    `errors` are those of the trend's days, with today's beside them.
    """

    made_at: datetime
    report: health.Report
    service: Service
    spending: Spending | None
    model: str
    prompt: PromptVersion
    today: dict[str, Any]
    yesterday: dict[str, Any]
    efficiency: dict[str, Any]
    categories: list[dict[str, Any]]
    errors: list[dict[str, Any]]
    users: list[dict[str, Any]]
    popular: list[CacheEntry]
    trend: list[dict[str, Any]]


def board(days: int) -> Board:
    """The board as it is now, with the trend of so many days; see `tail.exactly`."""
    prompt, totals = PromptVersion.objects.current(), cache_totals.current()

    def read(tail: Tail) -> Board:
        trend = queries.trend(tail, days)
        return Board(
            made_at=timezone.localtime(),
            report=health.report(),
            service=Service(processes.all_states()),
            spending=spending.today(),
            model="" if settings.LLM_PROVIDER == "local" else settings.LLM_MODEL,
            prompt=prompt,
            today=trend[-1] | queries.perhaps_billed(tail, trend[-1]["date"]),
            yesterday=queries.same_hours_yesterday(tail),
            efficiency=queries.efficiency(tail, totals),
            categories=queries.categories(tail),
            errors=_errors(tail, days),
            users=top_users(tail, TOP_USERS),
            popular=list(CacheEntry.objects.order_by("-hit_count")[:POPULAR_ENTRIES]),
            trend=trend,
        )

    return exactly(read)


def _errors(tail: Tail, days: int) -> list[dict[str, Any]]:
    today = {row["error_code"]: row["count"] for row in queries.errors(tail, days=1)}
    return [row | {"today": today.get(row["error_code"], 0)} for row in queries.errors(tail, days)]
