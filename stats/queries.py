"""The figures of the request log and the cache: of a stretch of time, or of all that is kept."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from classification.models import CacheEntry, RequestLog

FAILED = ~Q(outcome="ok")


def midnight() -> datetime:
    """When today began, by the clock on the wall."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def tomorrow() -> datetime:
    """When today will be over."""
    return midnight() + timedelta(days=1)


def between(start: datetime, end: datetime) -> QuerySet[RequestLog]:
    """The requests from `start` to before `end`."""
    return RequestLog.objects.filter(created_at__gte=start, created_at__lt=end)


def figures(rows: QuerySet[RequestLog]) -> dict[str, Any]:
    """Counts, averages, and sums in yuan, of these requests."""
    found = rows.aggregate(
        total_requests=Count("pk"),
        cache_hits=Count("pk", filter=Q(from_cache=True)),
        unique_users=Count("user_id", distinct=True),
        unique_ips=Count("ip_address", distinct=True),
        avg_processing_time_ms=Avg("processing_time_ms"),
        estimated_cost=Sum("cost", default=Decimal(0)),
        cost_saved=Sum("saved", default=Decimal(0)),
        failed_requests=Count("pk", filter=FAILED),
    )
    found["avg_processing_time_ms"] = found["avg_processing_time_ms"] or 0
    total = found["total_requests"]
    found["cache_misses"] = total - found["cache_hits"]
    found["cache_hit_rate"] = 100 * found["cache_hits"] / total if total else 0
    return found


def efficiency() -> dict[str, Any]:
    """How much the cache has saved since it began; an entry's own request is no hit."""
    found = CacheEntry.objects.aggregate(
        total_cached_images=Count("pk"),
        total_hits=Sum("hit_count", default=0),
        max_hits=Max("hit_count", default=0),
    )
    found["times_saved"] = found["total_hits"] - found["total_cached_images"]
    found["cost_saved"] = RequestLog.objects.aggregate(s=Sum("saved", default=Decimal(0)))["s"]
    entries = found["total_cached_images"]
    found["avg_hit_per_image"] = found["total_hits"] / entries if entries else 0
    return found


def categories() -> list[dict[str, Any]]:
    """The answers by category, largest first; what stood in as `other` does not count."""
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
    """The failures among these requests by code, most frequent first."""
    found = rows.filter(FAILED).values("outcome").annotate(count=Count("pk")).order_by("-count")
    return [{"error_code": row["outcome"], "count": row["count"]} for row in found]


def users(limit: int) -> list[dict[str, Any]]:
    """Who asked most, at most `limit` of them."""
    rows: Any = (
        RequestLog.objects.filter(user_id__gt="")
        .values("user_id")
        .annotate(
            request_count=Count("pk"),
            cache_hits=Count("pk", filter=Q(from_cache=True)),
            first_request=Min("created_at"),
            last_request=Max("created_at"),
        )
        .order_by("-request_count", "user_id")[:limit]
    )
    return [
        row | {"cache_hit_rate": 100 * row["cache_hits"] / row["request_count"]} for row in rows
    ]


def trend(days: int) -> list[dict[str, Any]]:
    """The figures of each of the last `days` days, today included, oldest first."""
    first = timezone.localdate() - timedelta(days=days - 1)
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
