"""Retries: the calls of one question to a provider, until it is answered or the time is up."""

import logging
import random
import threading
import time
from dataclasses import asdict, replace
from typing import Protocol

from classification.images import Photo
from classification.providers.base import Answer, Billed, Call, ProviderError
from classification.providers.causes import CAUSE_TEXTS
from classification.providers.http_session import Exchange
from classification.providers.replies import Failure, Success
from core.configuration.addresses import without_password

logger = logging.getLogger(__name__)

MAX_CALLS = 4
BACKOFF_SECONDS = 0.5
# A call that starts with less time left would only be cut off, and possibly billed.
MIN_CALL_SECONDS = 0.5
# The longest Retry-After that is passed on to clients.
MAX_RETRY_SECONDS = 3600
BUSY_RETRY_SECONDS = 30


class Caller(Protocol):
    """The part of RemoteProvider that Attempts uses."""

    name: str
    base_url: str

    def usable_models(self) -> list[str]: ...
    def deny(self, model: str) -> None: ...
    def drop_feature(self, model: str, name: str) -> None: ...
    def wait_for_turn(self, deadline: float) -> float | None: ...
    def call(
        self, model: str, photo: Photo, prompt: str, deadline: float, exchange: Exchange
    ) -> tuple[Success | Failure, Call]: ...


class Attempts:
    """One question. `run` is called on a worker thread, `abort` and `give_up` by the thread that
    waits."""

    def __init__(self, provider: Caller, photo: Photo, prompt: str, deadline: float) -> None:
        self._provider = provider
        self._photo = photo
        self._prompt = prompt
        self._deadline = deadline
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._exchange: Exchange | None = None  # of the call in progress
        self._is_over = False
        self._is_logged = False
        self._model = ""

    def run(self) -> Answer:
        """The answer; raises ProviderError."""
        models = self._provider.usable_models()
        failure = Failure("model_timeout", "no time was left")
        while models and len(self._calls) < MAX_CALLS:
            wait = self._provider.wait_for_turn(self._deadline)
            if wait is not None:
                failure = Failure("model_busy", "the account is being throttled", retry_after=wait)
                break
            result = self._call(models[0])
            if isinstance(result, Success):
                self._log_answer()
                raw = {"text": result.text, "model": self._model}
                if result.snapshot:
                    raw["snapshot"] = result.snapshot
                return Answer(result.classification, self._model[:50], raw, tuple(self._calls))
            failure = result
            if not self._can_go_on(failure, models):
                break
        raise self._error(failure)

    def abort(self) -> None:
        """Make no more calls, and abort the one in progress."""
        with self._lock:
            self._is_over = True
            if self._exchange:
                self._exchange.abort()

    def give_up(self) -> ProviderError:
        """The error for a call that did not return even after its socket was shut down."""
        failure = Failure("model_timeout", "the call did not come back")
        with self._lock:
            if self._exchange:  # otherwise the worker has just recorded the call itself
                billed: Billed = "perhaps" if self._exchange.sent else "no"
                self._calls.append(
                    Call(self._model[:50], "model_timeout", billed, 0, provider=self._provider.name)
                )
                self._exchange = None
        return self._error(failure)

    def _call(self, model: str) -> Success | Failure:
        """Make one call. Whichever thread ends it records it, exactly once."""
        exchange = Exchange()
        with self._lock:
            if self._is_over:
                return Failure("model_timeout", "no time was left")
            self._model, self._exchange = model, exchange
        result, call = self._provider.call(
            model, self._photo, self._prompt, self._deadline, exchange
        )
        with self._lock:
            if self._exchange is None:  # given up meanwhile
                return Failure("model_timeout", "the call came back too late")
            self._exchange = None
            self._calls.append(call)
        if isinstance(result, Failure):
            logger.debug("Call %d of %s failed: %s", len(self._calls), model, result.why)
        return result

    def _can_go_on(self, failure: Failure, models: list[str]) -> bool:
        """Apply the remedy for a failure, pausing if needed; False if there is none or no time is
        left."""
        if failure.remedy == "other model":
            self._provider.deny(models.pop(0))
            return bool(models)
        if failure.remedy == "without feature":
            self._provider.drop_feature(self._model, failure.unsupported)
            return True
        if failure.remedy == "none":
            return False
        pause = BACKOFF_SECONDS * 2 ** (len(self._calls) - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        pause = max(pause, failure.retry_after or 0.0)
        if time.monotonic() + pause + MIN_CALL_SECONDS > self._deadline:
            return False
        time.sleep(pause)
        return True

    def _error(self, failure: Failure) -> ProviderError:
        self._log_failure(failure)
        wait = failure.retry_after or 0
        if failure.code == "model_busy" and not wait:
            wait = BUSY_RETRY_SECONDS
        return ProviderError(
            failure.code,
            failure.why,
            cause=failure.cause,
            retry_after=min(int(wait) + 1, MAX_RETRY_SECONDS) if wait else None,
            calls=tuple(self._calls),
            is_about_photo=failure.is_answer,
        )

    def _log_answer(self) -> None:
        call, before = self._calls[-1], len(self._calls) - 1
        logger.info(
            "%s answered after %d ms (failed calls before: %d, provider's request: %s)",
            *(call.model, call.duration_ms, before, call.provider_request_id or "-"),
            extra={"fields": self._fields()},
        )

    def _log_failure(self, failure: Failure) -> None:
        """Log one line per question, not per call, whichever thread ends it."""
        with self._lock:
            if self._is_logged or not self._calls:
                return
            self._is_logged = True
        advice = ""
        if failure.cause:
            title, text = CAUSE_TEXTS[failure.cause]
            values = {"model": self._model, "address": without_password(self._provider.base_url)}
            advice = f": {title}. {text % values}"
        logger.log(
            logging.ERROR if failure.cause else logging.WARNING,
            "%s failed: %s (calls: %d, provider's request: %s)%s",
            *(self._model, failure.why, len(self._calls)),
            *(self._calls[-1].provider_request_id or "-", advice),
            extra={"fields": self._fields()},
        )

    def _fields(self) -> dict[str, object]:
        """Describe the last call, with the request id that the provider's support needs."""
        last = asdict(replace(self._calls[-1], evidence=None))
        return last | {"calls": len(self._calls)}
