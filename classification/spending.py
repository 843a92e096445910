"""The hard stop on spending: no call to the paid model begins that could pass DAILY_COST_LIMIT.

Before a flight asks, the most that it can cost is reserved in the row of the local day, by one
conditional UPDATE, which is exact across processes and hosts. When its calls are written into
the ledger, what they cost takes the reservation's place. A flight makes at most one call that
is, or perhaps is, billed: after such a call a provider does not try again.

Without a limit nothing here asks the database.
"""

import logging
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from classification import known_photos
from classification.models import ModelCall, Reservation, SpendingDay
from classification.outcomes import Caller
from classification.photos import Photo
from classification.pricing import MILLION
from classification.providers.base import ProviderError
from classification.signals import calls_logged

logger = logging.getLogger(__name__)

# Apps come back by then: an operator may raise the limit before the day ends.
MAX_RETRY_SECONDS = 3600
BUSY_RETRY_SECONDS = 2
# A reservation of this age belongs to nobody: its flight would have ended long before.
ORPHAN = timedelta(seconds=settings.LLM_TIMEOUT + 60)
# More than any model takes for a photo of so many pixels, and for what goes around the prompt.
PIXELS_PER_TOKEN = 28 * 28
OTHER_TOKENS = 256

# The day whose row this process has seen to.
_opened: date | None = None
_opening = threading.Lock()


@dataclass(frozen=True, slots=True)
class Spending:
    """Yuan of today: the limit, what is spent and what is reserved; and whether a call that
    costs the most would pass the limit."""

    limit: Decimal
    spent: Decimal
    reserved: Decimal
    is_reached: bool


def today() -> Spending | None:
    """How far today's limit is used; None without a limit."""
    limit = _limit()
    if limit is None:
        return None
    day = timezone.localdate()
    row = SpendingDay.objects.filter(day=day).first() or SpendingDay(day=day)
    most = _most(known_photos.current_prompt().text)
    return Spending(
        limit=_yuan(limit),
        spent=_yuan(row.spent),
        reserved=_yuan(row.reserved),
        is_reached=row.spent + most > limit,
    )


def reserve(prompt: str, photo: Photo, caller: Caller) -> Reservation | None:
    """Take the most that asking can cost out of what is left of today; None without a limit.

    Raises ProviderError when it is not there, and DatabaseError.
    """
    limit = _limit()
    if limit is None:
        return None
    day = timezone.localdate()
    _open(day)
    reservation = Reservation(
        token=secrets.token_hex(16),
        day=day,
        amount=_most(prompt),
        request_id=caller.request_id,
        image_hash=photo.sha256,
        model=settings.LLM_MODEL[:50],
    )
    with transaction.atomic():
        is_taken = SpendingDay.objects.filter(
            day=day, spent__lte=limit - reservation.amount - F("reserved")
        ).update(reserved=F("reserved") + reservation.amount)
        if is_taken:
            reservation.save(force_insert=True)
    if not is_taken:
        raise _refusal(reservation, limit)
    return reservation


def settle(reservation: Reservation | None, calls: Sequence[ModelCall]) -> None:
    """Put what the calls cost in the place of the reservation; in the transaction that writes
    the calls."""
    if reservation is None:
        return
    spent = sum(_millionths(call.cost) for call in calls if call.billed != "no")
    # What was taken for an orphan's is no longer reserved.
    freed = reservation.amount if _is_given_up(reservation) else 0
    SpendingDay.objects.filter(day=reservation.day).update(
        spent=F("spent") + spent, reserved=F("reserved") - freed
    )


def take_in_orphans() -> None:
    """Write the calls of processes that were killed into the ledger, as perhaps billed.

    They were sent, or about to be. To be called by a process that has been in touch with the
    database for a while, so that living ones have settled what waited for it.
    """
    if _limit() is None:
        return
    for orphan in Reservation.objects.filter(created_at__lt=timezone.now() - ORPHAN):
        call = ModelCall(
            request_id=orphan.request_id,
            image_hash=orphan.image_hash,
            model=orphan.model,
            outcome="internal_error",
            billed="perhaps",
            cost=settings.LLM_PRICES.cost(orphan.model, timezone.now(), None, None),
            duration_ms=0,
        )
        with transaction.atomic():
            if not _is_given_up(orphan):  # another process was first
                continue
            SpendingDay.objects.filter(day=orphan.day).update(
                spent=F("spent") + _millionths(call.cost), reserved=F("reserved") - orphan.amount
            )
            call.save()
        calls_logged.send_robust(None, calls=[call])
        logger.warning("A call whose process ended is counted as perhaps billed.")


def forget() -> None:
    """See to the day's row again."""
    global _opened
    _opened = None


def _limit() -> int | None:
    """The limit in millionths of a yuan; None where there is none, or nothing costs anything."""
    yuan = settings.DAILY_COST_LIMIT
    return None if yuan is None or settings.LLM_PROVIDER == "local" else _millionths(yuan)


def _is_given_up(reservation: Reservation) -> bool:
    """Whether the reservation was still there, and is no more."""
    return bool(Reservation.objects.filter(token=reservation.token).delete()[0])


def _open(day: date) -> None:
    """Make the day's row, with what was spent while no limit was set."""
    global _opened
    with _opening:
        if _opened == day:
            return
        midnight = timezone.make_aware(datetime.combine(day, time()))
        # Not in the transaction: of those who find it made, each would hold a lock on it.
        SpendingDay.objects.get_or_create(day=day)
        with transaction.atomic():
            row = SpendingDay.objects.select_for_update().get(day=day)
            calls = ModelCall.objects.filter(created_at__gte=midnight).exclude(billed="no")
            spent = calls.aggregate(cost=Sum("cost", default=Decimal(0)))["cost"]
            row.spent = max(row.spent, _millionths(spent))
            row.save(update_fields=["spent"])
        _opened = day


def _most(prompt: str) -> int:
    """The most that asking about any photo can cost, in millionths of a yuan."""
    now, prices = timezone.now(), settings.LLM_PRICES
    # A token is at least one byte of the prompt.
    tokens = settings.LLM_IMAGE_MAX_SIDE**2 // PIXELS_PER_TOKEN + len(prompt.encode())
    return max(
        _millionths(prices.cost(model, now, *known))
        for model in (settings.LLM_MODEL, *settings.LLM_FALLBACK_MODELS)
        # Where the tokens stay unknown, a call has one price.
        for known in ((tokens + OTHER_TOKENS, settings.LLM_MAX_TOKENS), (None, None))
    )


def _refusal(wanted: Reservation, limit: int) -> ProviderError:
    row = SpendingDay.objects.filter(day=wanted.day).first()
    if row is None:  # the table was emptied under us
        forget()
    if row is None or row.spent + wanted.amount <= limit:
        why = "What is left of DAILY_COST_LIMIT is reserved by calls that are under way."
        return ProviderError("model_busy", why, retry_after=BUSY_RETRY_SECONDS)
    now = timezone.localtime()
    midnight = timezone.make_aware(datetime.combine(wanted.day + timedelta(days=1), time()))
    seconds = int((midnight - now).total_seconds()) + 1
    return ProviderError(
        "model_unavailable",
        "DAILY_COST_LIMIT is reached.",
        retry_after=min(seconds, MAX_RETRY_SECONDS),
    )


def _millionths(yuan: Decimal) -> int:
    return int((Decimal(yuan) * MILLION).to_integral_value(ROUND_CEILING))


def _yuan(millionths: int) -> Decimal:
    return Decimal(millionths) / MILLION
