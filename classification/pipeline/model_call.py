"""Asks a model about one photo; used for uploads, staff trials and evaluations alike."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.conf import settings
from django.db import Error

from classification.billing.ledger import billed_cost, ledger_rows, write_ledger
from classification.billing.reservations import reserve
from classification.images import Photo
from classification.models import STAFF_ID, ModelCall, Reservation
from classification.providers import registry
from classification.providers.base import Answer, Provider, ProviderError
from classification.signals import calls_logged
from clients import quotas
from clients.models import QuotaReservation
from core.database.connections import release_connection
from core.database.transactions import write_atomically

# The first provider's share of the time limit; if it hangs, the second has the rest.
FIRST_SHARE = 2 / 3


@dataclass(frozen=True, slots=True)
class ModelReply:
    """The outcome of asking a model about a photo: an answer or an error.

    `calls` are unsaved ledger rows. They and the `reservation` must be written, whatever the
    outcome, by an AnswerWrite or record_calls(): they are money. `earlier_calls` are those of a
    provider that was asked first and failed; they are in the ledger already.
    """

    photo: Photo
    provider: str
    prompt_version: int | None
    outcome: Answer | ProviderError
    calls: Sequence[ModelCall] = ()
    reservation: Reservation | None = None
    earlier_calls: Sequence[ModelCall] = ()

    @property
    def cost(self) -> Decimal:
        """The cost of the calls that were certainly billed, in yuan."""
        return billed_cost([*self.earlier_calls, *self.calls])

    @property
    def unreadable_answers(self) -> int:
        """How many calls returned an answer that could not be read."""
        calls = (*self.earlier_calls, *self.calls)
        return sum(call.outcome == "model_bad_reply" for call in calls)


def ask_model(
    photo: Photo,
    prompt: str,
    prompt_version: int | None,
    request_id: str,
    app_id: int = STAFF_ID,
    quota: QuotaReservation | None = None,
    providers: Sequence[Provider] | None = None,
) -> ModelReply:
    """Ask the first of `providers` (by default, those of the settings) on behalf of an app, and the
    next one if it cannot answer, within LLM_TIMEOUT seconds in all.

    Holds no database connection while a model works. Raises DatabaseError, and gives the `quota`
    back if nothing has been sent; a ProviderError is returned in the reply.
    """
    providers = registry.providers() if providers is None else providers
    deadline = time.monotonic() + settings.LLM_TIMEOUT
    error = ProviderError("model_not_configured", "No key is set.", cause="no_key")
    reply = ModelReply(photo, "", prompt_version, error)
    for number, provider in enumerate(providers):
        remaining = deadline - time.monotonic()
        has_another = number + 1 < len(providers)
        try:
            reply = _ask(
                provider,
                replace(reply, provider=provider.name, earlier_calls=reply.calls),
                prompt,
                request_id,
                app_id,
                quota,
                timeout=remaining * FIRST_SHARE if has_another else remaining,
            )
        except Error:
            if number == 0:  # nothing has been sent
                quotas.give_back_later(quota)
            raise
        if not has_another or not _may_answer(reply.outcome):
            break
        record_calls(reply)
    return reply


def _ask(
    provider: Provider,
    reply: ModelReply,
    prompt: str,
    request_id: str,
    app_id: int,
    quota: QuotaReservation | None,
    *,
    timeout: float,
) -> ModelReply:
    """Reserve the maximum cost, ask one provider, and build the ledger rows."""
    reservation = None
    try:
        if models := provider.models_today():
            reservation = reserve(
                prompt,
                reply.photo.sha256,
                request_id,
                models,
                app_id=app_id,
                quota=quota,
                max_side=reply.photo.max_side,
            )
        release_connection()
        outcome: Answer | ProviderError = provider.classify(reply.photo, prompt, timeout)
    except ProviderError as error:
        outcome = error
    calls = ledger_rows(outcome.calls, reservation) if reservation else []
    return replace(reply, outcome=outcome, calls=calls, reservation=reservation)


def _may_answer(outcome: Answer | ProviderError) -> bool:
    """Whether another provider may succeed where this one failed."""
    return isinstance(outcome, ProviderError) and outcome.code != "image_rejected"


def record_calls(reply: ModelReply) -> None:
    """Write the calls into the ledger by themselves: for an answer that is only shown, or before
    another provider is asked. Raises DatabaseError."""
    if reply.reservation:
        write_atomically(write_ledger, reply.calls, reply.reservation)
        calls_logged.send_robust(None, calls=reply.calls)
