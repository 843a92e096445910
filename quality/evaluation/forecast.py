"""Estimates the cost of a run in advance."""

from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.db.models import Avg
from django.utils import timezone

from classification.choices import OK
from classification.models import ModelCall
from quality.evaluation.subject import Subject

RECENT_CALLS = 1000


class Forecast(NamedTuple):
    """The cost of all photos in yuan: `expected` (None if the model has never been asked), and the
    maximum."""

    expected: Decimal | None
    most: Decimal

    @property
    def sentence(self) -> str:
        if not self.most:
            return "It costs nothing."
        about = f"about {self.expected} yuan, " if self.expected is not None else ""
        return f"It will cost {about}{self.most} yuan at the most."


def forecast(subject: Subject, photos: int) -> Forecast:
    """Estimate from the tokens of the model's last calls, at today's price."""
    recent = ModelCall.objects.filter(model=subject.model[:50], outcome=OK).order_by("-pk")
    mean = ModelCall.objects.filter(
        pk__in=list(recent.values_list("pk", flat=True)[:RECENT_CALLS])
    ).aggregate(taken=Avg("input_tokens"), given=Avg("output_tokens"))
    most = subject.max_cost() * photos
    if subject.configured is None:
        return Forecast(Decimal(0), Decimal(0))
    if mean["taken"] is None or mean["given"] is None:
        return Forecast(None, most)
    each = settings.LLM_PRICES.cost(
        subject.model, timezone.now(), round(mean["taken"]), round(mean["given"])
    )
    return Forecast(each.yuan * photos, most)
