"""A few threads at a time, in the order of arrival."""

import threading
import time

from core.sharing.turns import Turns
from tests.support.waiting import wait_until


def test_threads_are_admitted_in_the_order_of_arrival() -> None:
    turns = Turns(1, patience=60)
    order: list[int] = []

    def work(number: int) -> None:
        with turns.hold():
            order.append(number)

    with turns.hold():
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        arrived: list[threading.Thread] = []
        for thread in threads:
            thread.start()
            arrived.append(thread)
            wait_until(lambda: turns.waiting == len(arrived))
        assert not order
    for thread in threads:
        thread.join(30)

    assert order == list(range(8))


def test_as_many_as_there_are_places_work_at_once() -> None:
    turns = Turns(3, patience=60)
    together = threading.Barrier(3)

    def work() -> None:
        with turns.hold():
            together.wait(30)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not together.broken


def test_one_that_has_waited_long_goes_ahead_and_leaves_the_place_to_its_holder() -> None:
    turns = Turns(1, patience=0.05)
    with turns.hold():
        with turns.hold():  # nobody gives way, so after its patience
            pass
        started = time.monotonic()
        with turns.hold():
            assert time.monotonic() - started >= 0.05
    with turns.hold():
        assert turns.waiting == 0
