"""Schedules decoding fairly: one client's files never hold up another's.

A place is a decoder process. A client gets at most MAX_PER_CLIENT places, only one of them for an
expensive file. The next free place goes to the client that holds the fewest, and of these to the
one that has used decoders least recently. So even a client that sends nothing but expensive files,
from many addresses, delays a file by no more than one of the same cost takes to finish.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from classification.image_decoding.limits import Cost

MAX_PER_CLIENT = 2
# The usage of a client is halved in this many seconds, and dropped once it is below this many.
HALF_LIFE_SECONDS = 30.0
FORGOTTEN_SECONDS = 0.01
HEAVY_SECONDS = 2.0


@dataclass(eq=False, slots=True)
class _Job:
    client: str
    cost: Cost
    number: int
    started: threading.Event = field(default_factory=threading.Event)


class Scheduler:
    """Assigns places to clients; thread-safe.

    `places` limits, for each cost, how many files of at least that cost are decoded at once.
    """

    def __init__(self, places: Mapping[Cost, int]) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._numbers = count()
        self._waiting: list[_Job] = []
        self._running: list[_Job] = []
        self._used = _Usage()

    @contextmanager
    def turn(self, client: str, cost: Cost, until: float) -> Iterator[bool]:
        """Wait for a place, and hold it within the block, which gets whether the client has used
        places for more than HEAVY_SECONDS of late.

        Raises TimeoutError if none is assigned before `until` (seconds of the monotonic clock).
        """
        job = _Job(client, cost, next(self._numbers))
        with self._lock:
            self._waiting.append(job)
            self._dispatch()
        begun = time.monotonic()
        try:
            if not job.started.wait(max(until - begun, 0)):
                raise TimeoutError
            begun = time.monotonic()
            yield self._used.of(client) > HEAVY_SECONDS
        finally:
            with self._lock:
                if job in self._running:
                    self._running.remove(job)
                    self._used.add(client, time.monotonic() - begun)
                else:
                    self._waiting.remove(job)
                self._dispatch()

    def _dispatch(self) -> None:
        while True:
            held = Counter(job.client for job in self._running)
            ready = [job for job in self._waiting if self._is_free_for(job, held)]
            if not ready:
                return
            job = min(
                ready,
                key=lambda job: (held[job.client], self._used.of(job.client), job.number),
            )
            self._waiting.remove(job)
            self._running.append(job)
            job.started.set()

    def _is_free_for(self, job: _Job, held: Counter[str]) -> bool:
        if held[job.client] >= MAX_PER_CLIENT:
            return False
        with_expensive = {other.client for other in self._running if other.cost == Cost.EXPENSIVE}
        if job.cost == Cost.EXPENSIVE and job.client in with_expensive:
            return False
        return all(
            sum(other.cost >= cost for other in self._running) < places
            for cost, places in self._places.items()
            if job.cost >= cost
        )


class _Usage:
    """How many seconds each client has held places, with exponential decay."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._at = time.monotonic()

    def of(self, client: str) -> float:
        return self._seconds.get(client, 0.0)

    def add(self, client: str, seconds: float) -> None:
        now = time.monotonic()
        share = 0.5 ** ((now - self._at) / HALF_LIFE_SECONDS)
        faded = {name: used * share for name, used in self._seconds.items()}
        faded[client] = faded.get(client, 0.0) + seconds
        self._seconds = {name: used for name, used in faded.items() if used > FORGOTTEN_SECONDS}
        self._at = now
