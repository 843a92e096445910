"""Deletes votes together with the log; the daily sums stay."""

from collections import deque
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from core.database.batches import delete_in_batches
from quality.feedback import reviews
from quality.models import Review, Vote
from stats.signals import log_purged


@receiver(log_purged)
def delete_old_votes(before: datetime, **_: Any) -> None:
    """Delete old votes, and refresh the review queue."""
    deque(delete_in_batches(Vote.objects.filter(voted_at__lt=before)), maxlen=0)
    reviews.refresh(Review.objects.values_list("image_hash", flat=True))
