"""Summaries of runs, and which of them are of the live subject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, F, Q, Sum

from quality.evaluation.report import NOT_ASKED
from quality.evaluation.statistics import Interval, wilson
from quality.evaluation.subject import Subject, live_subject
from quality.models import EvaluatedPhoto, EvaluationRun


@dataclass(frozen=True, slots=True)
class Summary:
    """A run's main figures; `is_live` if its subject is the live one."""

    run: EvaluationRun
    photos: int
    right: int
    cost: Decimal
    milliseconds: float
    is_live: bool

    @property
    def accuracy(self) -> float | None:
        return self.right / self.photos if self.photos else None

    @property
    def interval(self) -> Interval:
        return wilson(self.right, self.photos)

    @property
    def cost_per_photo(self) -> Decimal | None:
        return self.cost / self.photos if self.photos else None

    @property
    def done(self) -> int:
        """Of an unfinished run: how many photos it has."""
        return self.photos


def summarize(runs: Sequence[EvaluationRun]) -> list[Summary]:
    """Summarize runs, in order, with one query."""
    rows = (
        EvaluatedPhoto.objects.filter(run__in=runs)
        .exclude(outcome__in=NOT_ASKED)
        .values("run")
        .annotate(
            photos=Count("pk"),
            right=Count("pk", filter=Q(category=F("expected"))),
            cost=Sum("cost"),
            milliseconds=Avg("milliseconds"),
        )
    )
    found = {row["run"]: row for row in rows}
    live = live_subject()
    return [_summary(run, found.get(run.pk, {}), live) for run in runs]


def _summary(run: EvaluationRun, sums: Mapping[str, Any], live: Subject | None) -> Summary:
    return Summary(
        run=run,
        photos=sums.get("photos", 0),
        right=sums.get("right", 0),
        cost=sums.get("cost", Decimal(0)),
        milliseconds=sums.get("milliseconds", 0.0),
        is_live=is_of(run, live),
    )


def is_of(run: EvaluationRun, subject: Subject | None) -> bool:
    """Whether a run measured this provider, model, prompt and size."""
    return subject is not None and (
        (run.provider, run.model, run.prompt_hash, run.max_side)
        == (subject.provider_name, subject.model, subject.prompt_hash, subject.max_side)
    )


def last_run(subject: Subject | None) -> EvaluationRun | None:
    """The last finished run of a subject, if there is one."""
    if subject is None:
        return None
    return (
        EvaluationRun.objects.filter(
            provider=subject.provider_name,
            model=subject.model,
            prompt_hash=subject.prompt_hash,
            max_side=subject.max_side,
            finished_at__isnull=False,
        )
        .order_by("finished_at", "pk")
        .last()
    )
