"""Projects recent traffic to a month."""

from decimal import Decimal

from classification.errors import ServiceError
from quality.evaluation.summaries import Summary
from stats.figures import current_figures

LAST_DAYS = 7
MONTH_DAYS = 30


def new_photos_a_month() -> int | None:
    """New photos per month, from the last full days with requests; None without any, or while the
    statistics are behind."""
    try:
        with current_figures() as figures:
            days = figures.trend(LAST_DAYS + 1)[:-1]
    except ServiceError:
        return None
    photos = [row["cache_misses"] - row["failed_requests"] for row in days if row["total_requests"]]
    return round(sum(photos) / len(photos) * MONTH_DAYS) if photos else None


def saved_a_month(first: Summary, second: Summary, photos: int | None) -> Decimal | None:
    """Yuan per month saved with the second run's subject; negative if it costs more."""
    if photos is None or first.cost_per_photo is None or second.cost_per_photo is None:
        return None
    return (first.cost_per_photo - second.cost_per_photo) * photos
