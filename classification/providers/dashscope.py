"""Alibaba's vision models through the official SDK."""

import base64
import contextvars
import logging
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import asdict
from typing import Any

from classification import turns
from classification.photos import Photo
from classification.providers.base import Answer, Call, Cause, ProviderError, Status
from classification.providers.breaker import Breaker
from classification.providers.pace import Pace
from classification.providers.replies import Failure, Verdict, read_exception, read_reply
from classification.providers.slots import Slots
from classification.providers.wire import Exchange, Session

logger = logging.getLogger(__name__)

MAX_CALLS = 4
SLOT_PATIENCE_SECONDS = 2.0
CONNECT_SECONDS = 5.0
# What an aborted call may take to come back.
ABORT_SECONDS = 0.5
BACKOFF_SECONDS = 0.5
# A call that starts with less time left would only be cut off, and perhaps billed.
LEAST_SECONDS = 0.5
SEED = 20260101
# These think unless they are told not to; others refuse the parameter.
THINKING_MODELS = ("qwen3",)
DENIED_SECONDS = 300.0
# What an operator should do, for the log.
ADVICE: dict[Cause, str] = {
    "key_refused": "the key is refused. Check LLM_API_KEY, and that LLM_BASE_URL is of its region.",
    "account_unpaid": "the account is unpaid. Top it up in Alibaba's console.",
    "quota_used_up": "the free quota is used up. Switch on paid use in Alibaba's console.",
    "model_retired": "the model {model} is no longer served, or not to this account. "
    "Set LLM_MODEL to a current one, such as qwen3-vl-plus.",
}


class DashScopeProvider:
    """Asks the first of `models`; those after it only while it is retired or denied.

    `timeout` is the seconds a whole classify() may take; `slots` the calls at once.
    """

    name = "aliyun"

    def __init__(
        self,
        *,
        api_key: str,
        models: Sequence[str],
        base_url: str,
        timeout: float,
        max_tokens: int,
        slots: Slots,
    ) -> None:
        # Half a second and 45 MB to import: only where a provider is made, in a server's worker.
        from dashscope import MultiModalConversation

        self._conversation: Any = MultiModalConversation
        self._api_key = api_key.strip()
        self._models = models
        self._base_url = base_url
        self._timeout = timeout
        self._max_tokens = max_tokens
        self._session = Session(slots.count)
        self._workers = ThreadPoolExecutor(slots.count, thread_name_prefix="model")
        self._slots = slots
        self._unsupported: set[tuple[str, str]] = set()
        self._denied: dict[str, float] = {}
        self._pace = Pace()
        self._breaker = Breaker()

    @property
    def status(self) -> Status:
        now = time.monotonic()
        denied = tuple(model for model, until in self._denied.items() if until > now)
        return Status(self._slots.taken, self._breaker.rest, denied)

    def classify(self, photo: Photo, prompt: str) -> Answer:
        """One answer within the time limit, retries included; raises ProviderError."""
        deadline = time.monotonic() + self._timeout
        probe = self._breaker.enter()
        try:
            with turns.give_way():
                slot = self._slots.acquire(min(SLOT_PATIENCE_SECONDS, self._timeout))
                if slot is None:
                    raise ProviderError("model_busy", "Every model slot is taken.", retry_after=2)
                answer = self._in_worker(_Asking(self, photo, prompt, deadline), slot, deadline)
        except ProviderError as error:
            self._tell_breaker(error, probe=probe)
            raise
        except BaseException:
            self._breaker.leave(probe=probe)
            raise
        self._breaker.succeed(probe=probe)
        return answer

    def _in_worker(self, asking: "_Asking", slot: int, deadline: float) -> Answer:
        """Ask on a thread that can be given up, whatever its socket does."""
        future = self._workers.submit(contextvars.copy_context().run, asking.run)
        future.add_done_callback(lambda _: self._slots.release(slot))
        try:
            return future.result(max(deadline - time.monotonic(), 0))
        except FutureTimeout:
            asking.exchange.abort()
        try:
            return future.result(ABORT_SECONDS)
        except FutureTimeout:
            raise asking.given_up() from None

    def _tell_breaker(self, error: ProviderError, *, probe: bool) -> None:
        if error.code in ("image_rejected", "model_bad_reply"):
            self._breaker.succeed(probe=probe)
        elif error.code == "model_busy":
            self._breaker.leave(probe=probe)
        else:
            self._breaker.fail(error.code, error.cause, probe=probe)

    def usable_models(self) -> list[str]:
        """The models in order, without those that were denied lately; all, if all were."""
        now = time.monotonic()
        usable = [model for model in self._models if self._denied.get(model, 0.0) < now]
        return usable or list(self._models)

    def deny(self, model: str) -> None:
        """Leave a model out for a while, as it is retired or not for this account."""
        self._denied[model] = time.monotonic() + DENIED_SECONDS

    def drop_parameter(self, model: str, name: str) -> None:
        """Never again send this model a parameter that it does not have."""
        self._unsupported.add((model, name))

    def wait_for_turn(self, deadline: float) -> bool:
        """Keep the pace of all callers; False when the turn would come too late."""
        patience = min(SLOT_PATIENCE_SECONDS, deadline - time.monotonic() - LEAST_SECONDS)
        wait = self._pace.reserve(max(patience, 0))
        if wait:
            time.sleep(wait)
        return wait is not None

    def call(
        self, model: str, photo: Photo, prompt: str, deadline: float, exchange: Exchange
    ) -> tuple[Verdict | Failure, Call]:
        """One POST, and its line for the ledger."""
        parameters = self._parameters(model, prompt)
        started = time.monotonic()
        reply: Any = {}
        try:
            with turns.turn(), self._session.exchange(exchange):
                reply = self._post(model, photo, prompt, parameters, deadline)
            result = read_reply(reply, parameters)
        except Exception as error:  # the SDK raises nearly anything on an odd answer
            result = read_exception(error, exchange)
        if time.monotonic() >= deadline and isinstance(result, Failure) and result.billed != "yes":
            result = Failure("model_timeout", result.why, "perhaps" if exchange.sent else "no")
        self._keep_pace(result)
        return result, _ledger_line(model, result, reply, started)

    def _keep_pace(self, result: Verdict | Failure) -> None:
        if isinstance(result, Verdict):
            self._pace.succeeded()
        elif result.remedy == "slow down":
            self._pace.throttled()

    def _post(
        self, model: str, photo: Photo, prompt: str, parameters: dict[str, Any], deadline: float
    ) -> Any:
        image = f"data:image/jpeg;base64,{base64.b64encode(photo.jpeg).decode()}"
        remaining = max(deadline - time.monotonic(), 0.05)
        return self._conversation.call(
            model=model,
            # The line break keeps the prompt from ever naming a file, which the SDK would upload.
            messages=[{"role": "user", "content": [{"image": image}, {"text": f"{prompt}\n"}]}],
            api_key=self._api_key,
            base_address=self._base_url,
            session=self._session,
            request_timeout=(min(CONNECT_SECONDS, remaining), remaining),
            **parameters,
        )

    def _parameters(self, model: str, prompt: str) -> dict[str, Any]:
        parameters: dict[str, Any] = {
            "temperature": 0,
            "seed": SEED,
            "max_tokens": self._max_tokens,
        }
        if "json" in prompt.lower():  # the service wants the word in the prompt
            parameters["response_format"] = {"type": "json_object"}
        if model.startswith(THINKING_MODELS):
            parameters["enable_thinking"] = False
        return {k: v for k, v in parameters.items() if (model, k) not in self._unsupported}


class _Asking:
    """One classify(): the calls it makes, on a worker's thread, until an answer or the end."""

    def __init__(
        self, provider: DashScopeProvider, photo: Photo, prompt: str, deadline: float
    ) -> None:
        self._provider = provider
        self._photo = photo
        self._prompt = prompt
        self._deadline = deadline
        self._calls: list[Call] = []
        self._model = ""
        self.exchange = Exchange()

    def run(self) -> Answer:
        """The answer; raises ProviderError."""
        models = self._provider.usable_models()
        failure = Failure("model_timeout", "no time was left")
        while models and len(self._calls) < MAX_CALLS:
            self._model = models[0]
            if not self._provider.wait_for_turn(self._deadline):
                raise self._error(Failure("model_busy", "the account is being throttled"))
            result, call = self._provider.call(
                self._model, self._photo, self._prompt, self._deadline, self.exchange
            )
            self._calls.append(call)
            _log(call, result)
            if isinstance(result, Verdict):
                raw = {"text": result.text, "model": self._model}
                return Answer(result.classification, self._model[:50], raw, tuple(self._calls))
            failure = result
            if not self._can_go_on(failure, models):
                break
        raise self._error(failure)

    def _can_go_on(self, failure: Failure, models: list[str]) -> bool:
        """Do what may help after a failure; False when nothing does, or no time is left."""
        if failure.remedy == "other model":
            self._provider.deny(models.pop(0))
        elif failure.remedy == "without parameter":
            self._provider.drop_parameter(self._model, failure.unsupported)
        elif failure.remedy in ("retry", "slow down"):
            pause = BACKOFF_SECONDS * 2 ** (len(self._calls) - 1) * random.uniform(0.5, 1.5)  # noqa: S311
            if time.monotonic() + pause + LEAST_SECONDS > self._deadline:
                return False
            time.sleep(pause)
        else:
            return False
        self.exchange = Exchange()
        return bool(models)

    def given_up(self) -> ProviderError:
        """The error of a call that did not even come back when its socket was shut."""
        sent = self.exchange.sent
        call = Call(self._model, "model_timeout", "perhaps" if sent else "no", 0)
        failure = Failure("model_timeout", "the call did not come back")
        return self._error(failure, (*self._calls, call))

    def _error(self, failure: Failure, calls: tuple[Call, ...] = ()) -> ProviderError:
        if failure.cause:
            advice = ADVICE[failure.cause].format(model=self._model)
            logger.error("%s (%s): %s", self._model, failure.why, advice)
        return ProviderError(
            failure.code,
            failure.why,
            cause=failure.cause,
            retry_after=30 if failure.code == "model_busy" else None,
            calls=calls or tuple(self._calls),
        )


def _log(call: Call, result: Verdict | Failure) -> None:
    """One line per paid call, by which the provider's support can find it, too."""
    logger.log(
        logging.INFO if isinstance(result, Verdict) else logging.WARNING,
        "%s %s after %d ms (provider's request: %s)",
        call.model,
        "answered" if isinstance(result, Verdict) else f"failed: {result.why}",
        call.duration_ms,
        call.provider_request_id or "-",
        extra={"fields": asdict(call)},
    )


def _ledger_line(model: str, result: Verdict | Failure, reply: Any, started: float) -> Call:
    usage = reply.get("usage") or {}
    return Call(
        model=model[:50],
        outcome="ok" if isinstance(result, Verdict) else result.code,
        billed="yes" if isinstance(result, Verdict) else result.billed,
        duration_ms=int((time.monotonic() - started) * 1000),
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        provider_request_id=str(reply.get("request_id") or "")[:64],
    )
