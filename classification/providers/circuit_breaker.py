"""Circuit breaker: stops calls to a model that keeps failing, and probes it with one call at a
time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from classification.providers.base import Pause, ProviderError
from classification.providers.causes import CAUSES, Cause

FAILURES = 5
PAUSE_SECONDS = 30.0
IMMEDIATE_CAUSES = frozenset(CAUSES) - {"", "not_the_provider"}


@dataclass(frozen=True, slots=True)
class OpenState:
    """Why and since when the breaker is open, and when to probe (seconds of the monotonic
    clock)."""

    code: str
    cause: Cause
    since: float
    retry_at: float


class CircuitBreaker:
    """Opens for PAUSE_SECONDS after FAILURES in a row, or at once after a failure that only an
    operator can fix. Then one probe decides.

    Failures of one photo count once, however often it is sent.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: set[object] = set()
        self._probing = False
        self._opening: OpenState | None = None

    @property
    def pause(self) -> Pause | None:
        """The current pause, if the breaker is open."""
        opening, now = self._opening, self._clock()
        if opening is None:
            return None
        return Pause(
            opening.code, opening.cause, now - opening.since, max(opening.retry_at - now, 0)
        )

    def admit(self) -> bool:
        """Admit a call, or raise ProviderError while the breaker is open.

        Returns True if the call is the probe. Every admitted call must end with record_success(),
        record_failure() or cancel(), passing on whether it was the probe.
        """
        with self._lock:
            if self._opening is None:
                return False
            remaining = self._opening.retry_at - self._clock()
            if remaining > 0 or self._probing:
                raise ProviderError(
                    self._opening.code,
                    "No calls are made at the moment, since the last ones failed.",
                    retry_after=max(int(remaining) + 1, 2),
                )
            self._probing = True
            return True

    def record_success(self, *, probe: bool) -> None:
        """The model responded, whatever the answer."""
        with self._lock:
            self._opening = None
            self._failures.clear()
            self._probing = self._probing and not probe

    def record_failure(
        self, code: str, cause: Cause = "", *, about: str | None = None, probe: bool
    ) -> None:
        """The model did not respond; a cause that an operator has to fix opens the breaker at once.

        `about` is the hash of a photo that the provider responded to with an error. Neither calls
        that began before the pause nor photos that have failed before prolong it.
        """
        failure = about or object()
        with self._lock:
            is_known = failure in self._failures
            self._failures.add(failure)
            self._probing = self._probing and not probe
            if self._opening is None:
                is_enough = cause in IMMEDIATE_CAUSES or len(self._failures) >= FAILURES
            else:
                is_enough = probe and not is_known
            if is_enough:
                now = self._clock()
                since = self._opening.since if self._opening else now
                self._opening = OpenState(code, cause, since, now + PAUSE_SECONDS)

    def cancel(self, *, probe: bool) -> None:
        """The call showed nothing about the model; if it was the probe, allow another."""
        with self._lock:
            self._probing = self._probing and not probe
