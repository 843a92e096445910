"""Reservations: a row for each question to a paid model, written before anything is sent.

They make every call count exactly once. The token becomes the id of the ledger row of the billed
call, so the database rejects a row that is written twice, or by a process that was considered dead
and came back. Reservations of killed processes are found by their age and counted as possibly
billed.
"""

import logging
import secrets
from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from django.conf import settings
from django.db import Error, IntegrityError, transaction
from django.utils import timezone

from classification.billing import daily_limit
from classification.choices import Billed
from classification.models import ModelCall, Reservation
from classification.signals import calls_logged
from clients import quotas
from clients.models import QuotaReservation
from core.database.reservations import Orphans, Unsent
from core.database.transactions import write_atomically
from core.money import millionths

logger = logging.getLogger(__name__)

# A reservation seen for so long is an orphan: the call would have ended long before.
ORPHAN_SECONDS = settings.LLM_TIMEOUT + 60
# The outcome of a call whose process was killed, so that its end is unknown.
KILLED = "internal_error"

# Tokens of reservations whose calls are in the ledger; deleted in batches after the requests.
_settled: deque[str] = deque()
_unsent: Unsent[Reservation] = Unsent()
_orphans = Orphans()


def reserve(
    prompt: str,
    image_hash: str,
    request_id: str,
    models: Sequence[str],
    *,
    app_id: int,
    quota: QuotaReservation | None,
    max_side: int,
) -> Reservation:
    """Record that one of `models` will be asked, on behalf of an app and its `quota`, about a photo
    of up to `max_side` pixels a side, and reserve its maximum cost within today's limit.

    Takes one statement if there is no limit. Raises ProviderError if the limit does not allow it,
    and DatabaseError.
    """
    limit = daily_limit.current_limit()
    reservation = Reservation(
        token=secrets.token_hex(16),
        day=timezone.localdate(),
        amount=0 if limit is None else daily_limit.max_cost(prompt, models, max_side),
        request_id=request_id,
        image_hash=image_hash,
        model=models[0][:50],
        app_id=app_id,
        counter=quota.counter if quota else None,
    )
    try:
        if limit is None:
            reservation.save(force_insert=True)
        else:
            daily_limit.take(reservation, limit)
    except Error:  # the row may exist all the same, but nothing will be sent
        _unsent.add(reservation)
        raise
    return reservation


def settle(reservation: Reservation, calls: Sequence[ModelCall]) -> None:
    """Replace the reservation by the calls' actual cost. Must run in the transaction that writes
    them."""
    cost = sum((call.cost for call in calls if call.billed != Billed.NO), Decimal(0))
    if calls and not reservation.amount:
        transaction.on_commit(lambda: delete_later(reservation))
    elif _delete(reservation) and reservation.amount:
        daily_limit.give_back(reservation, cost)
    quotas.charge(reservation.counter, millionths(cost))


def delete_later(reservation: Reservation) -> None:
    """Leave the row of a settled reservation to delete_settled()."""
    _settled.append(reservation.token)


def delete_settled() -> None:
    """Delete the reservations whose calls are in the ledger, and those for which nothing was
    sent."""
    _unsent.release(_take_back)
    tokens = list(_settled)
    if tokens:
        Reservation.objects.filter(token__in=tokens).delete()
        for _ in tokens:
            _settled.popleft()


def settle_orphans() -> None:
    """Write the calls of killed processes into the ledger as possibly billed, and release their
    apps' quotas.

    The calls were sent, or about to be. Only call it in a process that has reached the database for
    a while, so that live processes have settled what they queued during an outage.
    """
    rows = Reservation.objects.select_related("counter")
    for orphan in _orphans.find(rows, ORPHAN_SECONDS):
        _settle_orphan(orphan)
    # By now a photo's reservation has outlived the last one for a call about it.
    quotas.release_orphans(2 * ORPHAN_SECONDS)


def reset() -> None:
    """Forget everything this process has settled and seen; for tests."""
    _settled.clear()
    _unsent.clear()
    _orphans.clear()


def _settle_orphan(orphan: Reservation) -> None:
    cost = settings.LLM_PRICES.cost(orphan.model, timezone.now(), None, None)
    call = ModelCall(
        call_id=orphan.token,
        request_id=orphan.request_id,
        image_hash=orphan.image_hash,
        app_id=orphan.app_id,
        model=orphan.model,
        outcome=KILLED,
        billed=Billed.PERHAPS,
        cost=cost.yuan,
        cost_is_exact=cost.is_exact,
        duration_ms=0,
    )
    try:
        if not write_atomically(_put_in_ledger, orphan, call):
            return
    except IntegrityError:  # its process has just written it
        return
    calls_logged.send_robust(None, calls=[call])
    logger.warning("A call whose process ended is counted as possibly billed.")


def _put_in_ledger(orphan: Reservation, call: ModelCall) -> bool:
    """Replace the orphan by the call; return whether that was still necessary."""
    if not _delete(orphan):  # another process was first
        return False
    if ModelCall.objects.filter(call_id=orphan.token).exists():  # settled, but not deleted yet
        return False
    call.pk = None  # set by an attempt that was rolled back
    call.save(force_insert=True)
    daily_limit.give_back(orphan, call.cost)
    quotas.charge(orphan.counter, millionths(call.cost))
    return True


def _take_back(unsent: Reservation) -> bool:
    """Release a reservation for which nothing was sent; return whether it existed."""
    if not _delete(unsent):
        return False
    if unsent.amount:
        daily_limit.give_back(unsent, Decimal(0))
    return True


def _delete(reservation: Reservation) -> bool:
    """Delete the reservation; return whether this call deleted it."""
    return bool(Reservation.objects.filter(token=reservation.token).delete()[0])
