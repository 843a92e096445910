"""The hard limit on spending: no paid call starts that could exceed DAILY_COST_LIMIT.

Before a model is asked, its maximum cost is reserved in the row of the local day, by one
conditional UPDATE, which is exact across processes and hosts. When its calls are written into the
ledger, their actual cost replaces the reservation. A reservation covers one call that is, or
possibly is, billed: after such a call a provider does not retry.

Without a limit, nothing here queries the database.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from classification import prompts
from classification.choices import DEMO, Billed
from classification.models import ModelCall, Reservation, SpendingDay
from classification.providers import registry
from classification.providers.base import ProviderError
from clients.quotas import seconds_to_midnight
from core import wall_clock
from core.database.transactions import write_atomically
from core.money import in_yuan, millionths

BUSY_RETRY_SECONDS = 2

# The day whose row this process has made sure of.
_opened: date | None = None
_opening = threading.Lock()


class LimitReached(ProviderError):
    """DAILY_COST_LIMIT is reached; no more calls are made today."""


@dataclass(frozen=True, slots=True)
class Spending:
    """Today's limit, spending and reservations in yuan. `is_reached`: another call could exceed the
    limit."""

    limit: Decimal
    spent: Decimal
    reserved: Decimal
    is_reached: bool


def today() -> Spending | None:
    """Today's spending against the limit; None without a limit or with the on-device model."""
    limit = current_limit()
    if limit is None or settings.LLM_PROVIDER == "local":
        return None
    day = timezone.localdate()
    row = SpendingDay.objects.filter(day=day).first() or SpendingDay(day=day)
    most = max_cost(prompts.current().text, registry.models(), settings.LLM_IMAGE_MAX_SIDE)
    return Spending(
        limit=in_yuan(limit),
        spent=in_yuan(row.spent),
        reserved=in_yuan(row.reserved),
        is_reached=row.spent + most > limit,
    )


def take(reservation: Reservation, limit: int) -> None:
    """Reserve the amount within the day's limit, and save the reservation.

    `limit` is in millionths of a yuan. Raises ProviderError if it does not fit, and DatabaseError.
    """
    _open(reservation.day)
    if not write_atomically(_take, reservation, limit):
        raise _refusal(reservation, limit)


def _take(reservation: Reservation, limit: int) -> bool:
    is_taken = SpendingDay.objects.filter(
        day=reservation.day, spent__lte=limit - reservation.amount - F("reserved")
    ).update(reserved=F("reserved") + reservation.amount)
    if is_taken:
        reservation.save(force_insert=True)
    return bool(is_taken)


def give_back(reservation: Reservation, cost: Decimal) -> None:
    """Replace the reserved amount by the actual cost, in yuan."""
    SpendingDay.objects.filter(day=reservation.day).update(
        spent=F("spent") + millionths(cost), reserved=F("reserved") - reservation.amount
    )


def reset() -> None:
    """Forget which day's row exists; for tests."""
    global _opened
    _opened = None


def current_limit() -> int | None:
    """DAILY_COST_LIMIT in millionths of a yuan, if it is set."""
    yuan = settings.DAILY_COST_LIMIT
    return None if yuan is None else millionths(yuan)


def _open(day: date) -> None:
    """Create the day's row, including what was spent before a limit was set."""
    global _opened
    with _opening:
        if _opened == day:
            return
        midnight = wall_clock.midnight(day)
        # Not in the transaction that follows, in which processes that find the row would each hold
        # a lock on it.
        write_atomically(SpendingDay.objects.get_or_create, day=day)
        write_atomically(_count_earlier_spending, day, midnight)
        _opened = day


def _count_earlier_spending(day: date, midnight: datetime) -> None:
    row = SpendingDay.objects.select_for_update().get(day=day)
    calls = ModelCall.objects.filter(created_at__gte=midnight)
    row.spent = max(row.spent, spent(calls.exclude(request_id__startswith=DEMO)))
    row.save(update_fields=["spent"])


def spent(calls: QuerySet[ModelCall]) -> int:
    """What these calls cost, or may have cost, in millionths of a yuan."""
    billed = calls.exclude(billed=Billed.NO)
    yuan = billed.aggregate(cost=Sum("cost", default=Decimal(0)))["cost"]
    # SQLite sums decimals as floating point, with a small error.
    return millionths(round(yuan, 6))


def max_cost(prompt: str, models: Iterable[str], max_side: int) -> int:
    """The maximum cost, in millionths of a yuan, of asking one of `models` about a photo of up to
    `max_side` pixels a side."""
    now = timezone.now()
    return max(
        millionths(
            settings.LLM_PRICES.max_cost(
                model,
                now,
                pixels=max_side**2,
                prompt=prompt,
                output_tokens=settings.LLM_MAX_TOKENS,
            )
        )
        for model in models
    )


def _refusal(wanted: Reservation, limit: int) -> ProviderError:
    row = SpendingDay.objects.filter(day=wanted.day).first()
    if row is None:  # the table was emptied under us
        reset()
    if row is None or row.spent + wanted.amount <= limit:
        why = "What is left of DAILY_COST_LIMIT is reserved by calls that are under way."
        return ProviderError("model_busy", why, retry_after=BUSY_RETRY_SECONDS)
    return LimitReached(
        "model_unavailable",
        "DAILY_COST_LIMIT is reached.",
        retry_after=seconds_to_midnight(wanted.day),
    )
