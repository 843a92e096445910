"""The calibration of the live model: how often answers with a given confidence were right."""

from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from django.db.models import Count, F, Q

from classification.models import CacheEntry
from quality.evaluation.report import CONFIDENCE_EDGES
from quality.evaluation.statistics import Interval, wilson
from quality.evaluation.subject import live_subject
from quality.evaluation.summaries import last_run
from quality.models import EvaluatedPhoto

# The fewest photos for a meaningful share.
LEAST_PHOTOS = 10


class Bin(NamedTuple):
    """A bin: of `photos` answers with a confidence from `low` to `high`, `right` were right."""

    run: int
    low: float
    high: float
    photos: int
    right: int

    @property
    def accuracy(self) -> float:
        return self.right / self.photos

    @property
    def interval(self) -> Interval:
        return wilson(self.right, self.photos)


class Calibration(NamedTuple):
    """The bins of the last run of the live subject. `model` is truncated to 50 characters, as in
    cache entries."""

    model: str
    bins: list[Bin]

    def bin_of(self, entry: CacheEntry) -> Bin | None:
        """The bin of an entry's confidence. None if it has too few photos or no confidence, or if
        the answer is another model's or a person's."""
        if entry.corrected_at or entry.model_used != self.model or entry.confidence is None:
            return None
        sure = float(entry.confidence)
        found = next((one for one in self.bins if one.low <= sure <= one.high), None)
        return found if found and found.photos >= LEAST_PHOTOS else None


def live_calibration() -> Calibration | None:
    """The calibration of the live subject; None if it was never measured."""
    run = last_run(live_subject())
    if run is None or run.finished_at is None:
        return None
    return Calibration(run.model[:50], _bins(run.pk, run.finished_at))


@lru_cache(maxsize=16)
def _bins(run: int, finished_at: datetime) -> list[Bin]:
    """The bins of a finished run, highest confidence first; cached, since it never changes."""
    results = EvaluatedPhoto.objects.filter(run=run)
    found = []
    for low, high in reversed(list(pairwise(CONFIDENCE_EDGES))):
        upper = Q(confidence__lte=high) if high == 1 else Q(confidence__lt=high)
        counts = results.filter(upper, confidence__gte=low).aggregate(
            photos=Count("pk"), right=Count("pk", filter=Q(category=F("expected")))
        )
        found.append(Bin(run, low, high, **counts))
    return found
