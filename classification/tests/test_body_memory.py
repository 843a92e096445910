"""How many bytes of bodies are held at once, and by whom."""

import contextlib
import json
import random
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from classification.api.request_bodies import body_memory
from classification.api.request_bodies.buffering import NO_ROOM, buffer_request_bodies
from classification.errors import ServiceError
from classification.fair_budget import FairBudget
from tests.support.waiting import wait_until

MEGABYTE = 1024 * 1024
ALBUM, PHOTO, HASHES = "/api/v1/classify/batch", "/api/v1/classify", "/api/v1/classify/check-cache"


def start(*args: Any) -> Any:
    """A start_response that ignores what it is told."""


def environ(path: str, length: int, **more: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "CONTENT_LENGTH": str(length),
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
    } | more


class Inner:
    """An application that counts the bytes of bodies on which it is at work."""

    def __init__(self) -> None:
        self.now = self.peak = self.answered = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = int(environ["CONTENT_LENGTH"])
        with self._lock:
            self.now += length
            self.peak = max(self.peak, self.now)
        time.sleep(0.05)
        with self._lock:
            self.now -= length
            self.answered += 1
        return [b""]


@pytest.mark.parametrize(
    ("path", "length", "bound"),
    [(ALBUM, 195 * MEGABYTE, 200), (ALBUM, 60 * MEGABYTE, 200), (PHOTO, 9 * MEGABYTE, 400)],
)
def test_bodies_at_once_stay_within_a_bound_and_all_are_answered(
    path: str, length: int, bound: int
) -> None:
    inner = Inner()
    application = buffer_request_bodies(inner)
    with ThreadPoolExecutor(60) as threads:
        for _ in range(60 if path == PHOTO else 6):
            threads.submit(application, environ(path, length), start)

    assert inner.answered == (60 if path == PHOTO else 6)
    assert inner.peak <= bound * MEGABYTE


class Dripping(BytesIO):
    """A stream that sends nothing until it `may_go_on`."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_go_on = threading.Event(), threading.Event()
        self._left = 195

    def read(self, size: int | None = -1) -> bytes:
        self.began.set()
        assert self.may_go_on.wait(60)
        self._left -= 1
        return b"x" * MEGABYTE if self._left >= 0 else b""


@pytest.mark.parametrize("is_still_held", [True, False])
def test_an_album_that_comes_slowly_keeps_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch, is_still_held: bool
) -> None:
    """It goes on when the others are done, and is told to come again while they are not."""
    monkeypatch.setattr(body_memory, "SLOW_SECONDS", 0.05)
    told: list[Any] = []

    def inner(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        told.append(NO_ROOM in environ)
        return [b""]

    slow = Dripping()
    album = environ(ALBUM, 195 * MEGABYTE, **{"wsgi.input": slow})
    with ThreadPoolExecutor(1) as threads:
        reply = threads.submit(buffer_request_bodies(inner), album, start)
        assert slow.began.wait(60)
        with body_memory.albums.hold("other", 190 * MEGABYTE, patience=30):
            monkeypatch.setattr(body_memory, "MAX_WAIT_SECONDS", 0.01 if is_still_held else 30)
            slow.may_go_on.set()
            if is_still_held:
                reply.result(60)
        reply.result(60)

    assert told == [is_still_held]
    with body_memory.albums.hold("anybody", 200 * MEGABYTE):
        pass


def test_an_album_keeps_no_photo_waiting() -> None:
    inner = Inner()
    application = buffer_request_bodies(inner)
    with body_memory.albums.hold("", 200 * MEGABYTE):
        application(environ(PHOTO, 9 * MEGABYTE), start)
        application(environ(HASHES, 100), start)

    assert inner.answered == 2


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("length", [1000, 4 * MEGABYTE + 1, 9 * MEGABYTE])
def test_a_body_has_come_before_anything_is_done_about_it(length: int, is_chunked: bool) -> None:
    """Whoever sends slowly keeps nobody waiting who has sent."""
    data = random.Random(length).randbytes(length)  # noqa: S311
    source, pieces = BytesIO(data), []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        assert source.tell() == length
        assert environ["CONTENT_LENGTH"] == str(length)
        while piece := environ["wsgi.input"].read(100_000):
            assert len(piece) <= 100_000
            pieces.append(piece)
        return [b""]

    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""} if is_chunked else {}
    sent = environ(PHOTO, length, **{"wsgi.input": source} | chunked)
    buffer_request_bodies(application)(sent, start)

    assert b"".join(pieces) == data


def test_whatever_one_client_takes_there_is_room_for_others() -> None:
    budget = FairBudget(16)
    with contextlib.ExitStack() as held:
        for _ in range(12):
            held.enter_context(budget.hold("greedy", 1))
        with pytest.raises(ServiceError):
            held.enter_context(budget.hold("greedy", 1))
        for number in range(4):
            held.enter_context(budget.hold(f"other {number}", 1))
        with pytest.raises(ServiceError):
            held.enter_context(budget.hold("last", 1))
    with budget.hold("alone", 100):
        pass


def test_of_who_has_a_share_few_wait_for_more() -> None:
    budget = FairBudget(4, max_waiting=2)

    def hold(patience: float) -> int:
        with budget.hold("greedy", 1, patience=patience) as held:
            return held

    with ThreadPoolExecutor() as pool, contextlib.ExitStack() as held:
        for _ in range(3):
            held.enter_context(budget.hold("greedy", 1))
        waiting = [pool.submit(hold, 60) for _ in range(2)]
        wait_until(lambda: budget._waiting == 2)
        started = time.monotonic()
        with pytest.raises(ServiceError):
            hold(60)
        assert time.monotonic() - started < 30
        held.close()
        assert [each.result(30) for each in waiting]


@pytest.mark.django_db
def test_what_finds_no_room_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = FairBudget(10 * MEGABYTE)
    monkeypatch.setattr(body_memory, "photos", memory)
    monkeypatch.setattr(body_memory, "MAX_WAIT_SECONDS", 0.01)
    started: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *args: Any) -> Any:
        started.update(status=status, headers=dict(headers))

    with memory.hold("other", 9 * MEGABYTE):
        reply = buffer_request_bodies(WSGIHandler())(
            environ(PHOTO, 2 * MEGABYTE),
            start_response,
        )

    assert started["status"].startswith("503")
    assert started["headers"]["Retry-After"]
    assert json.loads(b"".join(reply))["error_code"] == "model_busy"
