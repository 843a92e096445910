"""Asks a model about a labelled set concurrently; each photo once, however often a run is
resumed."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from decimal import Decimal

from django.conf import settings
from django.db import connection

from classification.billing import reservations
from classification.choices import Billed
from classification.errors import ServiceError
from classification.images import Photo
from classification.images.uploads import prepare_upload
from classification.pipeline.model_call import ModelReply, ask_model, record_calls
from classification.providers.base import Answer, ProviderError
from core.database.transactions import write_atomically
from quality.evaluation.budget import Budget
from quality.evaluation.labelled_set import LabelledPhoto
from quality.evaluation.subject import LOCAL, Subject
from quality.models import EvaluatedPhoto, EvaluationRun

# Attempts per photo while the model is busy or throttling.
BUSY_ATTEMPTS = 10
MAX_WAIT_SECONDS = 30
BUSY_SECONDS = 2
# Consecutive failures after which a run stops.
FAILURES_IN_A_ROW = 5
# The connection that holds the lock is used at least this often, so that it does not time out.
ALIVE_SECONDS = 20


class _OutOfBudget(Exception):
    """The budget does not cover another call."""


class Measuring:
    """Asks about photos for a run. `stopped_because` says why it ended early, if it did; `failures`
    are the error codes of photos that stay open, which cost nothing."""

    def __init__(self, run: EvaluationRun, subject: Subject, max_cost: Decimal | None) -> None:
        self.stopped_because = ""
        self.failures: list[str] = []
        self.budget = Budget(max_cost)
        self._run = run
        self._subject = subject
        self._provider = subject.make_provider()
        self._most = subject.max_cost()
        self._stopping = threading.Event()
        self._failures_in_a_row = 0
        self._lock = threading.Lock()

    def results(self, photos: Sequence[LabelledPhoto]) -> Iterator[EvaluatedPhoto | None]:
        """Yields each photo's result as soon as it is saved; None for a photo that stays open."""
        # One at a time, so that it measures the time of a photo on one core.
        slots = 1 if self._subject.provider_name == LOCAL else settings.LLM_MAX_CONCURRENCY
        with ThreadPoolExecutor(slots, thread_name_prefix="evaluation") as pool:
            try:
                waiting = {pool.submit(self._measure, photo) for photo in photos}
                while waiting:
                    done, waiting = wait(waiting, ALIVE_SECONDS, "FIRST_COMPLETED")
                    _use_connection()
                    yield from (future.result() for future in done)
            finally:
                self._stopping.set()
        reservations.delete_settled()

    def _measure(self, photo: LabelledPhoto) -> EvaluatedPhoto | None:
        if self._stopping.is_set():
            return None
        try:
            return self._result(photo)
        except _OutOfBudget:
            self._stop("--max-cost is reached")
            return None
        finally:
            connection.close()

    def _result(self, photo: LabelledPhoto) -> EvaluatedPhoto | None:
        result = EvaluatedPhoto(
            run=self._run, image_hash=photo.image_hash, file=photo.name, expected=photo.category
        )
        started = time.monotonic()
        try:
            prepared = prepare_upload(photo.data, max_side=self._subject.max_side)
        except ServiceError as error:
            return self._keep_unreadable(result, error)
        preparing = time.monotonic() - started
        for attempt in range(1, BUSY_ATTEMPTS + 1):
            started = time.monotonic()
            reply = self._ask(prepared)
            result.milliseconds = (preparing + time.monotonic() - started) * 1000
            failure = _open_failure(reply)
            if failure is None:
                return self._keep(result, reply)
            record_calls(reply)
            if attempt == BUSY_ATTEMPTS or not self._waited(failure):
                self._note_failure(failure.code, str(failure))
                break
        return None

    def _ask(self, photo: Photo) -> ModelReply:
        """The model's reply; raises _OutOfBudget."""
        if not self.budget.take(self._most):
            raise _OutOfBudget
        cost = self._most
        try:
            request_id = self._run.request_id(photo.sha256)
            subject = self._subject
            reply = ask_model(
                photo,
                subject.prompt,
                subject.prompt_version,
                request_id,
                providers=[self._provider],
            )
            cost = _cost(reply)
        finally:
            self.budget.settle(self._most, cost)
        return reply

    def _keep(self, result: EvaluatedPhoto, reply: ModelReply) -> EvaluatedPhoto:
        """Save the result together with its ledger rows."""
        result.cost = _cost(reply)
        if isinstance(reply.outcome, ProviderError):
            result.outcome = reply.outcome.code
        else:
            found = reply.outcome.classification
            result.category, result.confidence = found.category, found.confidence
            result.snapshot = _snapshot(reply.outcome)
        if reply.calls:
            result.input_tokens = reply.calls[-1].input_tokens
            result.output_tokens = reply.calls[-1].output_tokens
        write_atomically(_save_paid, result, reply)
        with self._lock:
            self._failures_in_a_row = 0
        return result

    def _keep_unreadable(
        self, result: EvaluatedPhoto, error: ServiceError
    ) -> EvaluatedPhoto | None:
        """Save the failure of a file that cannot be decoded; None, leaving it open, if decoders
        were busy."""
        if error.code == "model_busy":
            self._note_failure(error.code, str(error.message))
            return None
        result.outcome = error.code
        result.save()
        return result

    def _waited(self, error: ProviderError) -> bool:
        """Wait as long as a busy model asked for; False if it failed otherwise."""
        if error.code != "model_busy":
            return False
        return not self._stopping.wait(min(error.retry_after or BUSY_SECONDS, MAX_WAIT_SECONDS))

    def _note_failure(self, code: str, reason: str) -> None:
        with self._lock:
            self.failures.append(code)
            self._failures_in_a_row += 1
            is_hopeless = code == "model_not_configured"
            if is_hopeless or self._failures_in_a_row >= FAILURES_IN_A_ROW:
                self._stop(f"{code}: {reason}")

    def _stop(self, reason: str) -> None:
        self.stopped_because = self.stopped_because or reason
        self._stopping.set()


def _use_connection() -> None:
    """Keep the connection that holds the lock open. Raises DatabaseError if it is lost, as the lock
    is then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _save_paid(result: EvaluatedPhoto, reply: ModelReply) -> None:
    record_calls(reply)
    result.save()


def _open_failure(reply: ModelReply) -> ProviderError | None:
    """The failure that leaves a photo open; None if a retry would pay twice or not help."""
    if isinstance(reply.outcome, Answer) or reply.outcome.code == "image_rejected":
        return None
    is_paid = any(call.billed != Billed.NO for call in reply.calls)
    return None if is_paid else reply.outcome


def _cost(reply: ModelReply) -> Decimal:
    """The cost in yuan, including possibly billed calls."""
    return sum((call.cost for call in reply.calls if call.billed != Billed.NO), Decimal(0))


def _snapshot(answer: Answer) -> str:
    said = (answer.raw or {}).get("snapshot")
    return said if isinstance(said, str) else answer.model
