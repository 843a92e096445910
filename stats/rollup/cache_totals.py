"""The number of cache entries and hits."""

from datetime import timedelta

from django.db.models import Count, Max, Min, Sum
from django.utils import timezone

from classification.models import CacheEntry
from stats.models import CacheTotals

# Counting more takes noticeably long; larger caches are counted by roll_up_stats, and by a reader
# only if that has not run.
COUNTED_AT_ONCE = 100_000
KEPT = timedelta(seconds=90)


def current() -> CacheTotals:
    """The current totals; those of a large cache may be KEPT old."""
    ids = CacheEntry.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if (ids["last"] or 0) - (ids["first"] or 0) < COUNTED_AT_ONCE:
        return _count()
    now = timezone.now()
    kept = CacheTotals.objects.filter(counted_at__gt=now - KEPT, counted_at__lt=now + KEPT).first()
    return kept or refresh()


def refresh() -> CacheTotals:
    """Count, and store the result for the next readers."""
    totals = _count()
    totals.pk = 1
    totals.save()
    return totals


def _count() -> CacheTotals:
    found = CacheEntry.objects.aggregate(
        entries=Count("pk"),
        hits=Sum("hit_count", default=0),
        most_hits=Max("hit_count", default=0),
        corrected=Count("corrected_at"),
    )
    return CacheTotals(**found, counted_at=timezone.now())
