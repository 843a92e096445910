"""The ledger: one row for each request to a paid model, and what it cost in yuan."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from classification.billing import reservations
from classification.billing.prices import Cost
from classification.choices import Billed
from classification.models import CallFailure, ModelCall, Reservation
from classification.providers.base import Call


def ledger_rows(calls: Sequence[Call], reservation: Reservation) -> list[ModelCall]:
    """The unsaved rows of the calls one provider made for a photo.

    The call that was, or possibly was, billed has the reservation's token as its id; it is always
    the last one.
    """
    rows = [
        ModelCall(
            call_id=f"{reservation.token}-{number}",
            request_id=reservation.request_id,
            image_hash=reservation.image_hash,
            app_id=reservation.app_id,
            cost=cost.yuan,
            cost_is_exact=cost.is_exact,
            **{name: value for name, value in asdict(call).items() if name != "evidence"},
        )
        for number, (call, cost) in enumerate((call, _cost(call)) for call in calls)
    ]
    for row, call in zip(rows, calls, strict=True):
        if call.evidence:
            row.failure = CallFailure(**asdict(call.evidence))
    if rows:
        billed = [row for row in rows if row.billed != Billed.NO]
        (billed or rows)[-1].call_id = reservation.token
    return rows


def write_ledger(calls: Sequence[ModelCall], reservation: Reservation) -> None:
    """Write the rows, and replace the reservation by their actual cost.

    Must run in a transaction. Raises IntegrityError if they have been written before.
    """
    for call in calls:
        call.pk = None  # set by an earlier attempt that was rolled back
    ModelCall.objects.bulk_create(calls)
    CallFailure.objects.bulk_create(_failures(calls))
    reservations.settle(reservation, calls)


def _failures(calls: Sequence[ModelCall]) -> list[CallFailure]:
    failures = []
    for call in calls:
        if call.failure:
            call.failure.pk, call.failure.call_id = None, call.call_id or ""
            failures.append(call.failure)
    return failures


def billed_cost(calls: Sequence[ModelCall]) -> Decimal:
    """The cost of the calls that were certainly billed, in yuan."""
    return sum((call.cost for call in calls if call.billed == Billed.YES), Decimal(0))


def _cost(call: Call) -> Cost:
    """The cost of a call; for a possibly billed one, what it would be."""
    if Billed(call.billed) is Billed.NO:
        return Cost(Decimal(0), is_exact=True)
    return settings.LLM_PRICES.cost(
        call.model, timezone.now(), call.input_tokens, call.output_tokens, call.cached_tokens
    )
