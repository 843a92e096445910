"""How many entries the cache has, and how often they were asked for."""

from datetime import timedelta

from django.db.models import Count, Max, Min, Sum
from django.utils import timezone

from classification.models import CacheEntry
from stats.models import CacheTotals

# Counting so many takes about as long as a person notices; larger caches are counted by
# roll_up_stats, and by a reader only when that has not run.
COUNTED_AT_ONCE = 100_000
KEPT = timedelta(seconds=90)


def current() -> CacheTotals:
    """The totals now; those of a large cache as of the last minute and a half."""
    ids = CacheEntry.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if (ids["last"] or 0) - (ids["first"] or 0) < COUNTED_AT_ONCE:
        return _count()
    kept = CacheTotals.objects.filter(counted_at__gt=timezone.now() - KEPT).first()
    return kept or refresh()


def refresh() -> CacheTotals:
    """Count, and keep the result for those who read it next."""
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
