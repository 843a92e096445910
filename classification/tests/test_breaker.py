"""Calls stop after failures, one probe tries again, and throttling slows all callers."""

import pytest

from classification.providers.base import ProviderError
from classification.providers.breaker import FAILURES, REST_SECONDS, Breaker
from classification.providers.pace import FIRST_SPACING_SECONDS, MAX_SPACING_SECONDS, Pace


class Clock:
    """Seconds that a test lets pass."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """One that has just opened, with a call that began earlier still in the air."""
    breaker = Breaker(clock)
    for _ in range(FAILURES + 1):
        assert breaker.enter() is False
    for _ in range(FAILURES):
        breaker.fail("model_timeout", probe=False)
    return breaker


def refusal(breaker: Breaker) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        breaker.enter()
    return caught.value


def test_calls_rest_and_say_for_how_long(breaker: Breaker, clock: Clock) -> None:
    clock.now += REST_SECONDS - 10.5

    assert (refusal(breaker).code, refusal(breaker).retry_after) == ("model_timeout", 11)


def test_one_probe_at_a_time_tries_again(breaker: Breaker, clock: Clock) -> None:
    clock.now += REST_SECONDS
    assert breaker.enter() is True
    refusal(breaker)
    breaker.fail("model_unavailable", probe=True)
    assert refusal(breaker).code == "model_unavailable"
    clock.now += REST_SECONDS
    assert breaker.enter() is True
    breaker.succeed(probe=True)

    assert breaker.enter() is False
    assert breaker.rest is None


@pytest.mark.parametrize("late", ["fail", "leave"])
def test_a_late_call_neither_prolongs_the_rest_nor_lets_a_second_probe_through(
    breaker: Breaker, clock: Clock, late: str
) -> None:
    clock.now += REST_SECONDS
    assert breaker.enter() is True
    if late == "fail":
        breaker.fail("model_timeout", probe=False)
    else:
        breaker.leave(probe=False)
    refusal(breaker)
    breaker.leave(probe=True)

    assert breaker.enter() is True


def test_what_only_an_operator_can_mend_opens_it_at_once(clock: Clock) -> None:
    breaker = Breaker(clock)
    breaker.fail("model_not_configured", "key_refused", probe=breaker.enter())

    assert refusal(breaker).code == "model_not_configured"


def test_throttling_spaces_the_calls_of_all(clock: Clock) -> None:
    pace = Pace(clock)
    assert [pace.reserve(2) for _ in range(3)] == [0, 0, 0]
    pace.throttled()

    assert [pace.reserve(2) for _ in range(3)] == pytest.approx(
        [n * FIRST_SPACING_SECONDS for n in (1, 2, 3)]
    )
    for _ in range(10):
        pace.throttled()
    assert pace.reserve(MAX_SPACING_SECONDS - 0.1) is None
    for _ in range(20):
        pace.succeeded()
    clock.now += 60
    assert [pace.reserve(0) for _ in range(3)] == [0, 0, 0]
