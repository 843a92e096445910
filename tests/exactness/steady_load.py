"""Steady uploads and lookups while a test injects faults, and what must be exact afterwards."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import requests

from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo
from tests.support.servers import RunningServer, ScratchDatabase, running_server

CALM_SECONDS = 3.0
UPLOADERS = 4
HIT_PHOTOS = 5


class SteadyLoad:
    """Uploads new photos and looks up known ones at all servers, until stop()."""

    def __init__(self, servers: list[RunningServer]) -> None:
        self.hits: list[str] = []
        self.uploaded: list[str] = []
        self.refused: list[str] = []
        self.servers = servers
        self._numbers = count(100)
        self._known = [photo(seed=seed) for seed in range(HIT_PHOTOS)]
        self._is_over = False
        self._pool = ThreadPoolExecutor(2 * UPLOADERS)
        for data in self._known:
            servers[0].upload(data)
        self._futures = [self._pool.submit(self._upload) for _ in range(UPLOADERS)]
        self._futures += [self._pool.submit(self._ask) for _ in range(UPLOADERS)]

    def stop(self) -> None:
        self._is_over = True
        for future in self._futures:
            future.result()
        self._pool.shutdown()

    def number(self) -> int:
        """The seed of a photo that was never uploaded."""
        return next(self._numbers)

    def _upload(self) -> None:
        while not self._is_over:
            number = next(self._numbers)
            server = self.servers[number % len(self.servers)]
            reply = server.upload(photo(seed=number))
            self._keep(reply, self.uploaded)

    def _ask(self) -> None:
        while not self._is_over:
            number = next(self._numbers)
            server = self.servers[number % len(self.servers)]
            known = self._known[number % HIT_PHOTOS]
            self._keep(server.check(hashlib.sha256(known).hexdigest()), self.hits)
            time.sleep(0.02)

    def _keep(self, reply: requests.Response, answered: list[str]) -> None:
        body = reply.json()
        if body.get("data"):
            answered.append(body["request_id"])
        else:
            self.refused.append(body.get("error_code", "unknown"))


@contextmanager
def two_hosts_under_load(
    databases: Sequence[ScratchDatabase],
) -> Iterator[tuple[SteadyLoad, DashScopeServer]]:
    """Two hosts with one DATABASE_URL each and a daily limit that both reserve from, under load.
    Yields the load and the model. Nothing may be refused before the block is entered."""
    limits = {"WEB_WORKERS": "1", "DAILY_COST_LIMIT": "50"}
    with (
        DashScopeServer(delay=0.1) as model,
        running_server(databases[0], model, **limits) as one,
        running_server(databases[1], model, **limits) as two,
    ):
        apps = SteadyLoad([one, two])
        try:
            time.sleep(CALM_SECONDS)
            assert not apps.refused
            yield apps, model
        finally:
            apps.stop()


def assert_exact(books: ScratchDatabase, apps: SteadyLoad, model: DashScopeServer) -> None:
    """One ledger row for each call, one log row for each answer, each hit counted once, and
    nothing left of what the daily limit had reserved; no app was told more than to come back."""
    assert set(apps.refused) <= {"database_unavailable", "model_busy"}
    paid = books.value("SELECT COUNT(*) FROM model_call WHERE billed = 'yes'")
    assert paid == books.value("SELECT COUNT(*) FROM model_call") == len(model.requests)
    logged = [row[0] for row in books.query("SELECT request_id FROM request_log")]
    assert len(logged) == len(set(logged))
    assert set(apps.hits) | set(apps.uploaded) <= set(logged)
    hits = books.value("SELECT COUNT(*) FROM request_log WHERE from_cache")
    counted = books.value("SELECT SUM(hit_count - 1) FROM image_classification_cache")
    assert hits == counted >= len(apps.hits)
    [(spent, reserved)] = books.query("SELECT SUM(spent), SUM(reserved) FROM spending_day")
    cost = books.value("SELECT SUM(cost) FROM model_call WHERE billed <> 'no'")
    assert (int(spent), int(reserved)) == (int(cost * 1_000_000), 0)
    assert books.value("SELECT COUNT(*) FROM spending_reservation") == 0
