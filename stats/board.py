"""What the dashboard shows, gathered in one place."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Avg, Count, Q, QuerySet, Sum
from django.utils import timezone

from classification import health
from classification.models import CacheEntry, PromptVersion, RequestLog

FAILED = ~Q(outcome="ok")
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
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    one_day = timedelta(days=1)
    return Board(
        made_at=now,
        report=health.report(),
        model="" if settings.LLM_PROVIDER == "local" else settings.LLM_MODEL,
        prompt=PromptVersion.objects.current(),
        today=figures(between(midnight, now)),
        yesterday=figures(between(midnight - one_day, now - one_day)),
        efficiency=efficiency(),
        categories=categories(),
        errors=errors(between(midnight, now)),
        users=users(),
        popular=list(CacheEntry.objects.order_by("-hit_count")[:POPULAR_ENTRIES]),
        trend=trend(days, midnight),
    )


def between(start: datetime, end: datetime) -> QuerySet[RequestLog]:
    return RequestLog.objects.filter(created_at__gte=start, created_at__lt=end)


def figures(rows: QuerySet[RequestLog]) -> dict[str, Any]:
    found = rows.aggregate(
        total_requests=Count("pk"),
        cache_hits=Count("pk", filter=Q(from_cache=True)),
        unique_users=Count("user_id", distinct=True),
        avg_processing_time_ms=Avg("processing_time_ms"),
        estimated_cost=Sum("cost", default=Decimal(0)),
        cost_saved=Sum("saved", default=Decimal(0)),
        failed_requests=Count("pk", filter=FAILED),
    )
    total = found["total_requests"]
    found["cache_misses"] = total - found["cache_hits"]
    found["cache_hit_rate"] = 100 * found["cache_hits"] / total if total else 0
    return found


def efficiency() -> dict[str, Any]:
    found = CacheEntry.objects.aggregate(
        total_cached_images=Count("pk"), total_hits=Sum("hit_count", default=0)
    )
    found["times_saved"] = found["total_hits"] - found["total_cached_images"]
    found["cost_saved"] = RequestLog.objects.aggregate(s=Sum("saved", default=Decimal(0)))["s"]
    entries = found["total_cached_images"]
    found["avg_hit_per_image"] = found["total_hits"] / entries if entries else 0
    return found


def categories() -> list[dict[str, Any]]:
    rows = list(
        RequestLog.objects.exclude(category="")
        .exclude(source="none")
        .values("category")
        .annotate(count=Count("pk"), avg_confidence=Avg("confidence"))
        .order_by("-count")
    )
    total = sum(row["count"] for row in rows)
    return [row | {"percentage": 100 * row["count"] / total} for row in rows]


def errors(rows: QuerySet[RequestLog]) -> list[dict[str, Any]]:
    found = rows.filter(FAILED).values("outcome").annotate(count=Count("pk")).order_by("-count")
    return [{"error_code": row["outcome"], "count": row["count"]} for row in found]


def users() -> list[dict[str, Any]]:
    rows: Any = (
        RequestLog.objects.filter(user_id__gt="")
        .values("user_id")
        .annotate(request_count=Count("pk"), cache_hits=Count("pk", filter=Q(from_cache=True)))
        .order_by("-request_count")[:TOP_USERS]
    )
    return list(rows)


def trend(days: int, midnight: datetime) -> list[dict[str, Any]]:
    first = (midnight - timedelta(days=days - 1)).date()
    rows = (
        RequestLog.objects.filter(created_date__gte=first)
        .values("created_date")
        .annotate(
            requests=Count("pk"),
            hits=Count("pk", filter=Q(from_cache=True)),
            failures=Count("pk", filter=FAILED),
            cost=Sum("cost"),
            saved=Sum("saved"),
        )
    )
    by_day = {row["created_date"]: row for row in rows}
    empty = {"requests": 0, "hits": 0, "failures": 0, "cost": Decimal(0), "saved": Decimal(0)}
    dates = [first + timedelta(days=n) for n in range(days)]
    return [{**empty, **by_day.get(date, {}), "date": date} for date in dates]
