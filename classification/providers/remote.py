"""The base of providers that are asked over HTTP, without anything specific to a vendor: a hard
deadline, bounded slots, a circuit breaker, a rate limiter, and a ledger row for each call.

The formats of requests and replies are in each vendor's package.
"""

import contextvars
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from datetime import datetime, timezone
from typing import ClassVar, NamedTuple

from classification.images import Photo
from classification.providers.base import Answer, Call, ProviderError, Status
from classification.providers.circuit_breaker import CircuitBreaker
from classification.providers.http_session import Exchange, Session
from classification.providers.model_table.table import ModelTable, Replacement
from classification.providers.rate_limiter import RateLimiter
from classification.providers.replies import (
    Failure,
    Feature,
    ReplyFormat,
    Success,
    json_of,
    read_exception,
    read_response,
    read_usage,
)
from classification.providers.retries import MIN_CALL_SECONDS, Attempts
from classification.providers.slots import Slots
from core.database.text import storable
from core.sharing import cpu_gate

logger = logging.getLogger(__name__)

SLOT_PATIENCE_SECONDS = 2.0
CONNECT_SECONDS = 5.0
# How long an aborted call may take to return.
ABORT_SECONDS = 0.5
DENIED_SECONDS = 300.0


class Request(NamedTuple):
    """One request to one model; `timeout` is for connecting and for each read, in seconds."""

    model: str
    photo: Photo
    prompt: str
    features: Sequence[Feature]
    timeout: tuple[float, float]


class RemoteProvider(ABC):
    """Asks the first of `models`, or its replacement in `table`; the others only while it is
    retired or denied.

    `timeout` is the limit in seconds for a whole classify(); `slots` bounds concurrent calls.
    """

    name: str
    reply_format: ClassVar[ReplyFormat]

    def __init__(
        self,
        *,
        api_key: str,
        models: Sequence[str],
        table: ModelTable,
        base_url: str,
        timeout: float,
        max_tokens: int,
        slots: Slots,
    ) -> None:
        self.api_key = api_key.strip()
        self.base_url = base_url
        self.max_tokens = max_tokens
        self.table = table
        self.session = Session(slots.count)
        self._models = models
        self._logged_replacements: set[Replacement] = set()
        self._throttled: set[str] = set()
        self._timeout = timeout
        self._workers = ThreadPoolExecutor(slots.count, thread_name_prefix="model")
        self._slots = slots
        self._unsupported: set[tuple[str, str]] = set()
        self._denied: dict[str, float] = {}
        self._rate_limiter = RateLimiter()
        self._breaker = CircuitBreaker()

    @abstractmethod
    def features(self, model: str, prompt: str) -> Sequence[Feature]:
        """The optional features to request from this model."""

    @abstractmethod
    def post(self, request: Request) -> None:
        """Send the request through `session`, which keeps the response; may raise anything."""

    @property
    def status(self) -> Status:
        now = time.monotonic()
        denied = tuple(model for model, until in self._denied.items() if until > now)
        return Status(self._slots.taken, self._breaker.pause, denied)

    def classify(self, photo: Photo, prompt: str, timeout: float | None = None) -> Answer:
        """Classify a photo within the time limit, including retries; raises ProviderError."""
        limit = self._timeout if timeout is None else min(timeout, self._timeout)
        deadline = time.monotonic() + limit
        probe = self._breaker.admit()
        try:
            answer = self._ask(photo, prompt, deadline)
        except ProviderError as error:
            self._record_in_breaker(error, photo, probe=probe)
            raise
        except BaseException:
            self._breaker.cancel(probe=probe)
            raise
        self._breaker.record_success(probe=probe)
        return answer

    def _ask(self, photo: Photo, prompt: str, deadline: float) -> Answer:
        """Ask on a worker thread, which can be abandoned if its socket hangs."""
        with cpu_gate.released():
            slot = self._slots.acquire(
                min(SLOT_PATIENCE_SECONDS, max(deadline - time.monotonic(), 0))
            )
            if slot is None:
                raise ProviderError("model_busy", "Every model slot is taken.", retry_after=2)
            attempts = Attempts(self, photo, prompt, deadline)
            try:
                future = self._workers.submit(contextvars.copy_context().run, attempts.run)
            except RuntimeError as error:  # the system starts no more threads
                attempts.abort()  # since it is queued all the same, for a thread that gets free
                self._slots.release(slot)
                raise ProviderError("model_busy", str(error), retry_after=2) from error
            future.add_done_callback(lambda _: self._slots.release(slot))
            try:
                return future.result(max(deadline - time.monotonic(), 0))
            except FutureTimeout:
                attempts.abort()
            try:
                return future.result(ABORT_SECONDS)
            except FutureTimeout:
                raise attempts.give_up() from None

    def _record_in_breaker(self, error: ProviderError, photo: Photo, *, probe: bool) -> None:
        if error.code in ("image_rejected", "model_bad_reply"):
            self._breaker.record_success(probe=probe)
        elif error.code == "model_busy":
            self._breaker.cancel(probe=probe)
        else:
            about = photo.sha256 if error.is_about_photo else None
            self._breaker.record_failure(error.code, error.cause, about=about, probe=probe)

    def models_today(self) -> list[str]:
        """The models in the order they are asked today, retired ones replaced."""
        return self.table.candidates(self._models, datetime.now(timezone.utc))

    def usable_models(self) -> list[str]:
        """The models in order, without those denied lately; all of them if all were."""
        today, now = datetime.now(timezone.utc), time.monotonic()
        for replacement in self.table.replacements(self._models, today):
            if replacement not in self._logged_replacements:
                self._logged_replacements.add(replacement)
                logger.warning("%s.", replacement)
        models = self.models_today()
        return [model for model in models if self._denied.get(model, 0.0) < now] or models

    def deny(self, model: str) -> None:
        """Skip a model for DENIED_SECONDS, since it is retired or not available to this account."""
        self._denied[model] = time.monotonic() + DENIED_SECONDS

    def drop_feature(self, model: str, name: str) -> None:
        """Never request this unsupported feature from the model again."""
        self._unsupported.add((model, name))

    def supports(self, model: str, name: str) -> bool:
        """Whether the model has not rejected the feature so far."""
        return (model, name) not in self._unsupported

    def wait_for_turn(self, deadline: float) -> float | None:
        """Wait for the rate limiter. Returns None once the call may start; if that would be too
        late, returns the seconds it would take, without waiting."""
        patience = min(SLOT_PATIENCE_SECONDS, deadline - time.monotonic() - MIN_CALL_SECONDS)
        wait = self._rate_limiter.reserve(max(patience, 0))
        if wait > max(patience, 0):
            return wait
        time.sleep(wait)
        return None

    def call(
        self, model: str, photo: Photo, prompt: str, deadline: float, exchange: Exchange
    ) -> tuple[Success | Failure, Call]:
        """Make one call; return its result and its ledger entry."""
        started = time.monotonic()
        remaining = max(deadline - started, 0.05)
        features = self.features(model, prompt)
        timeout = (min(CONNECT_SECONDS, remaining), remaining)
        error: Exception | None = None
        try:
            with self.session.exchange(exchange):
                self.post(Request(model, photo, prompt, features, timeout))
        except Exception as raised:  # an SDK raises nearly anything on an unexpected response
            error = raised
        if exchange.response is not None:
            result = read_response(exchange.response, self.reply_format, features)
        else:
            result = read_exception(error or ConnectionError(), exchange)
        if time.monotonic() >= deadline and isinstance(result, Failure) and result.billed != "yes":
            result = Failure("model_timeout", result.why, "perhaps" if exchange.sent else "no")
        if isinstance(result, Failure) and result.remedy == "slow down":
            result = self._explained(result, model)
        self._adjust_rate(model, result)
        return result, self._ledger_call(model, result, exchange, started)

    def _adjust_rate(self, model: str, result: Success | Failure) -> None:
        if isinstance(result, Success):
            self._rate_limiter.record_success()
        elif result.remedy == "slow down":
            self._rate_limiter.record_throttled(result.retry_after or 0.0)
            self._warn_of_retirement(model)

    def _warn_of_retirement(self, model: str) -> None:
        facts = self.table.get(model)
        if facts and facts.announced and model not in self._throttled:
            self._throttled.add(model)
            logger.warning(
                "%s is throttled. Its retirement on %s is announced, from when on its limits "
                "shrink: set LLM_MODEL to another model, such as %s.",
                *(model, facts.retired or "a day unknown", facts.successor or "qwen3-vl-plus"),
            )

    def _explained(self, failure: Failure, model: str) -> Failure:
        """A throttled call, with the reason added if the model is about to be retired."""
        facts = self.table.get(model)
        reason = facts.throttling_reason(datetime.now(timezone.utc)) if facts else ""
        return replace(failure, why=f"{failure.why}; {reason}") if reason else failure

    def _ledger_call(
        self, model: str, result: Success | Failure, exchange: Exchange, started: float
    ) -> Call:
        body = None if exchange.response is None else json_of(exchange.response)
        usage = read_usage(body)
        return Call(
            model=model[:50],
            outcome="ok" if isinstance(result, Success) else result.code,
            billed="yes" if isinstance(result, Success) else result.billed,
            duration_ms=int((time.monotonic() - started) * 1000),
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            provider_request_id=_request_id(body, exchange),
            provider=self.name,
            evidence=None if isinstance(result, Success) else result.evidence,
        )


def _request_id(body: object, exchange: Exchange) -> str:
    """The provider's id of the request, for its support."""
    own = (body.get("request_id") or body.get("id")) if isinstance(body, dict) else ""
    headers = exchange.response.headers if exchange.response is not None else {}
    return storable(str(own or headers.get("X-Request-ID", "")))[:64]
