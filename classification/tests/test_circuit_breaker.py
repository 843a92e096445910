"""Calls stop after failures, one probe tries again, and throttling slows all callers."""

import pytest

from classification.providers.base import ProviderError
from classification.providers.circuit_breaker import FAILURES, PAUSE_SECONDS, CircuitBreaker
from classification.providers.rate_limiter import (
    FIRST_SPACING_SECONDS,
    MAX_SPACING_SECONDS,
    RateLimiter,
)


class Clock:
    """Seconds that a test lets pass."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    """One that has just opened, with a call that began earlier still in the air."""
    breaker = CircuitBreaker(clock)
    for _ in range(FAILURES + 1):
        assert breaker.admit() is False
    for _ in range(FAILURES):
        breaker.record_failure("model_timeout", probe=False)
    return breaker


def refusal(breaker: CircuitBreaker) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        breaker.admit()
    return caught.value


def test_calls_rest_and_say_for_how_long(breaker: CircuitBreaker, clock: Clock) -> None:
    clock.now += PAUSE_SECONDS - 10.5

    assert (refusal(breaker).code, refusal(breaker).retry_after) == ("model_timeout", 11)


def test_one_probe_at_a_time_tries_again(breaker: CircuitBreaker, clock: Clock) -> None:
    clock.now += PAUSE_SECONDS
    assert breaker.admit() is True
    refusal(breaker)
    breaker.record_failure("model_unavailable", probe=True)
    assert refusal(breaker).code == "model_unavailable"
    clock.now += PAUSE_SECONDS
    assert breaker.admit() is True
    breaker.record_success(probe=True)

    assert breaker.admit() is False
    assert breaker.pause is None


@pytest.mark.parametrize("late", ["record_failure", "cancel"])
def test_a_late_call_neither_prolongs_the_rest_nor_lets_a_second_probe_through(
    breaker: CircuitBreaker, clock: Clock, late: str
) -> None:
    clock.now += PAUSE_SECONDS
    assert breaker.admit() is True
    if late == "record_failure":
        breaker.record_failure("model_timeout", probe=False)
    else:
        breaker.cancel(probe=False)
    refusal(breaker)
    breaker.cancel(probe=True)

    assert breaker.admit() is True


def test_what_only_an_operator_can_mend_opens_it_at_once(clock: Clock) -> None:
    breaker = CircuitBreaker(clock)
    breaker.record_failure("model_not_configured", "key_refused", probe=breaker.admit())

    assert refusal(breaker).code == "model_not_configured"


def test_throttling_spaces_the_calls_of_all(clock: Clock) -> None:
    pace = RateLimiter(clock)
    assert [pace.reserve(2) for _ in range(3)] == [0, 0, 0]
    pace.record_throttled()

    assert [pace.reserve(2) for _ in range(3)] == pytest.approx(
        [n * FIRST_SPACING_SECONDS for n in (1, 2, 3)]
    )
    for _ in range(10):
        pace.record_throttled()
    assert pace.reserve(0) == pytest.approx(MAX_SPACING_SECONDS)
    for _ in range(20):
        pace.record_success()
    clock.now += 60
    assert [pace.reserve(0) for _ in range(3)] == [0, 0, 0]
