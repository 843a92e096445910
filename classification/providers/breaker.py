"""Stops asking a model that keeps failing, and tries again with one call at a time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from classification.providers.base import Cause, ProviderError, Rest

FAILURES = 5
REST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Opening:
    """Why and since when no calls are made, and when one is tried again (monotonic seconds)."""

    code: str
    cause: Cause
    since: float
    retry_at: float


class Breaker:
    """Closed while calls are made; open for REST_SECONDS after FAILURES in a row, or at once
    after a failure that only an operator can end. Then one probe decides."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._probing = False
        self._opening: Opening | None = None

    @property
    def rest(self) -> Rest | None:
        """The rest that calls have at the moment, if any."""
        opening, now = self._opening, self._clock()
        if opening is None:
            return None
        return Rest(
            opening.code, opening.cause, now - opening.since, max(opening.retry_at - now, 0)
        )

    def enter(self) -> bool:
        """Pass, or raise the ProviderError that calls end in at the moment.

        True for the call that probes whether the model is back; each call that passed must end
        with succeed(), fail() or leave(), and say whether it was the probe.
        """
        with self._lock:
            if self._opening is None:
                return False
            rest = self._opening.retry_at - self._clock()
            if rest > 0 or self._probing:
                raise ProviderError(
                    self._opening.code,
                    "No calls are made at the moment, since the last ones failed.",
                    retry_after=max(int(rest) + 1, 2),
                )
            self._probing = True
            return True

    def succeed(self, *, probe: bool) -> None:
        """The model answered, whatever it said."""
        with self._lock:
            self._failures, self._opening = 0, None
            self._probing = self._probing and not probe

    def fail(self, code: str, cause: Cause = "", *, probe: bool) -> None:
        """The model did not answer; what an operator must mend ends calls at once.

        Calls that began before the rest do not prolong it.
        """
        with self._lock:
            self._failures += 1
            self._probing = self._probing and not probe
            if probe or (self._opening is None and (cause or self._failures >= FAILURES)):
                now = self._clock()
                since = self._opening.since if self._opening else now
                self._opening = Opening(code, cause, since, now + REST_SECONDS)

    def leave(self, *, probe: bool) -> None:
        """The call told nothing about the model; if it was the probe, another may be made."""
        with self._lock:
            self._probing = self._probing and not probe
