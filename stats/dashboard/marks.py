"""Marks on the charts: changes of the prompt or the model, which may affect the figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from classification.models import ModelCall, PromptVersion
from core import wall_clock
from stats.figures import Figures
from stats.ranges import TimeRange


@dataclass(frozen=True, slots=True)
class Mark:
    """A published prompt version, or a change of the model."""

    at: datetime
    prompt_version: int | None = None
    model: str = ""

    @property
    def label(self) -> str:
        return f"v{self.prompt_version}" if self.prompt_version else self.model


def of(wanted: TimeRange, figures: Figures) -> Sequence[Mark]:
    """The changes within a range, oldest first."""
    start, end = timezone.make_aware(wanted.start), timezone.make_aware(wanted.end)
    published = PromptVersion.objects.filter(
        created_at__gte=start, created_at__lt=end, version__gt=1
    ).values_list("created_at", "version")
    marks = [Mark(timezone.localtime(at), prompt_version=version) for at, version in published]
    marks += (mark for mark in _models(wanted, figures) if start <= mark.at < end)
    return sorted(marks, key=lambda mark: mark.at)


def _models(wanted: TimeRange, figures: Figures) -> Iterator[Mark]:
    """A mark for each day on which another model answered most than on the last day with calls."""
    first, last = wanted.touched_days
    most: dict[date, tuple[int, str]] = {}
    for row in figures.ledger(first - timedelta(days=1), last):
        most[row["day"]] = max(most.get(row["day"], (0, "")), (row["calls"], row["model"]))
    before = ""
    for day, (_, model) in sorted(most.items()):
        if before and model != before:
            yield Mark(_first_call(day, model), model=model)
        before = model


def _first_call(day: date, model: str) -> datetime:
    midnight = wall_clock.midnight(day)
    calls = ModelCall.objects.filter(created_at__gte=midnight, model=model)
    first = calls.order_by("created_at").values_list("created_at", flat=True).first()
    return timezone.localtime(first or midnight)
