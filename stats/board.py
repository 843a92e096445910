"""What the dashboard shows, gathered in one place."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from classification import health
from classification.models import CacheEntry, PromptVersion
from stats import queries

POPULAR_ENTRIES = 8
TOP_USERS = 8


@dataclass(frozen=True, slots=True)
class Board:
    """`yesterday` counts the same hours as `today`, up to the minute."""

    made_at: datetime
    report: health.Report
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
    """The board as it is now, with the trend of so many days."""
    now = timezone.localtime()
    midnight = queries.midnight()
    one_day = timedelta(days=1)
    return Board(
        made_at=now,
        report=health.report(),
        model="" if settings.LLM_PROVIDER == "local" else settings.LLM_MODEL,
        prompt=PromptVersion.objects.current(),
        today=queries.figures(queries.between(midnight, now)),
        yesterday=queries.figures(queries.between(midnight - one_day, now - one_day)),
        efficiency=queries.efficiency(),
        categories=queries.categories(),
        errors=queries.errors(queries.between(midnight, now)),
        users=queries.users(TOP_USERS),
        popular=list(CacheEntry.objects.order_by("-hit_count")[:POPULAR_ENTRIES]),
        trend=queries.trend(days),
    )
