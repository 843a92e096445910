"""Places for calls, which the processes of a server share."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from classification.providers.slots import Slots
from core.sharing.fair_queue import client_var
from tests.support.waiting import wait_until

HOLD = """
import sys
from pathlib import Path
from classification.providers.slots import Slots
slots = Slots(3, Path(sys.argv[1]))
print([slots.acquire(0) for _ in range(int(sys.argv[2]))], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "slots"
    file.touch()
    return file


@contextmanager
def another_process(file: Path, places: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that has taken so many of three places."""
    command = [sys.executable, "-c", HOLD, str(file), str(places)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def test_places_that_one_process_does_not_use_are_the_others(file: Path) -> None:
    with another_process(file, places=1):
        slots = Slots(3, file)

        assert [slots.acquire(0) for _ in range(3)] == [1, 2, None]


def test_the_places_of_a_process_that_was_killed_are_free(file: Path) -> None:
    slots = Slots(3, file)
    with another_process(file, places=3) as process:
        assert slots.acquire(0.1) is None
        process.kill()
        assert slots.acquire(5) is not None


@pytest.mark.parametrize("is_shared", [True, False])
def test_one_who_waits_gets_the_place_that_comes_free(file: Path, is_shared: bool) -> None:
    slots = Slots(1, file if is_shared else None)
    slot = slots.acquire(0)
    assert slot is not None
    assert slots.acquire(0.05) is None
    threading.Timer(0.1, slots.release, [slot]).start()
    started = time.monotonic()

    assert slots.acquire(10) == slot
    assert time.monotonic() - started < 30  # a busy machine's, not those of a lock


def test_clients_take_turns_however_many_calls_one_wants() -> None:
    slots = Slots(1)
    held = slots.acquire(0)
    order: list[str] = []

    def call(client: str) -> None:
        client_var.set(client)
        slot = slots.acquire(60)
        assert slot is not None
        order.append(client)
        slots.release(slot)

    threads = []
    for client in ("greedy", "greedy", "greedy", "other", "greedy", "third"):
        threads.append(threading.Thread(target=call, args=(client,)))
        threads[-1].start()
        wait_until(lambda: sum(map(len, slots._waiting._items.values())) == len(threads))
    assert held is not None
    slots.release(held)
    for thread in threads:
        thread.join(60)

    assert order == ["greedy", "other", "third", "greedy", "greedy", "greedy"]


def test_who_gives_up_waiting_is_in_nobodys_way() -> None:
    slots = Slots(1)
    held = slots.acquire(0)
    assert held is not None
    with ThreadPoolExecutor(2) as pool:
        impatient = pool.submit(slots.acquire, 0.1)
        patient = pool.submit(slots.acquire, 60)
        assert impatient.result(60) is None
        slots.release(held)
        assert patient.result(60) == held
