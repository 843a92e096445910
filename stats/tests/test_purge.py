"""The purge of the log does not take the word of a clock that may have jumped."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from classification.models import RequestLog
from tests.support.history import NOW, log

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Iterator[Any]:
    """The clock of a host on which the purge has just run, with one row in the log."""
    log(NOW)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False) as clock:
        purge()  # what it finds has to settle
        clock.shift(timedelta(minutes=1))
        assert purge() == 1
        yield clock


def purge() -> int:
    """Purge as the timer does; the number of rows that are left."""
    call_command("purge_request_log", verbosity=0)
    return RequestLog.objects.count()


def refused_purge() -> int:
    """The number of rows that are left after a purge that mistrusts the clock."""
    with pytest.raises(CommandError, match=r"it is 20\d\d-\d\d-\d\d, and the last purge was on"):
        purge()
    return RequestLog.objects.count()


def test_a_clock_that_jumped_ahead_empties_no_log(clock: Any) -> None:
    log(NOW - timedelta(days=200))
    clock.shift(timedelta(minutes=1))
    purge()
    clock.shift(timedelta(minutes=1))
    assert purge() == 1
    clock.shift(timedelta(days=1000))
    assert refused_purge() == 1
    clock.move_to(NOW + timedelta(days=1))
    assert purge() == 1


def test_after_a_long_pause_the_second_purge_deletes(clock: Any) -> None:
    clock.shift(timedelta(days=200))
    assert refused_purge() == 1
    clock.shift(timedelta(days=1))
    assert purge() == 0


def test_an_age_that_is_given_is_the_operators_word(clock: Any) -> None:
    clock.shift(timedelta(days=200))
    call_command("purge_request_log", "--older-than=90d", verbosity=0)
    assert not RequestLog.objects.exists()
