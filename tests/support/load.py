"""Apps that query and upload continuously, and record every answer."""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import requests

from tests.support.nginx import HOST, Nginx
from tests.support.pictures import photo

# A hit and an upload as apps send them: from several at once, on connections that they keep.
ASKING = 4
UPLOADING = 3


@dataclass(frozen=True)
class Answer:
    """One answer; `at` is the monotonic clock's second at which it came."""

    status: int
    request_id: str
    image_hash: str
    source: str
    at: float


@dataclass
class Load:
    """Apps at work between __enter__ and __exit__; `answers` are those they got."""

    nginx: Nginx
    known: bytes = field(default_factory=photo)
    answers: list[Answer] = field(default_factory=list)
    broken: list[BaseException] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        self.upload(requests.Session(), self.known)
        # Two apps upload each new photo at about the same time.
        apps = [self._ask] * ASKING + [lambda s, n: self._upload(s, n, 0)] * 2
        apps += [lambda s, n, app=app: self._upload(s, n, app) for app in range(1, UPLOADING)]
        for app in apps:
            self._threads.append(threading.Thread(target=self._run, args=(app,)))
            self._threads[-1].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Wait for what was asked last; raises what broke an app."""
        self._stop.set()
        for thread in self._threads:
            thread.join(70)
        if self.broken:
            raise self.broken[0]

    @property
    def apps(self) -> int:
        """How many requests are on their way at the same time."""
        return len(self._threads)

    @property
    def known_hash(self) -> str:
        return hashlib.sha256(self.known).hexdigest()

    def _run(self, app: Callable[[requests.Session, int], None]) -> None:
        session = requests.Session()
        number = 0
        try:
            while not self._stop.is_set():
                app(session, number)
                number += 1
        except BaseException as error:
            self.broken.append(error)

    def _ask(self, session: requests.Session, _number: int) -> None:
        reply = session.post(
            f"{self.nginx.url}/api/v1/classify/check-cache",
            json={"image_hash": self.known_hash},
            headers={"Host": HOST},
            timeout=60,
        )
        assert reply.status_code != HTTPStatus.OK or reply.json()["cached"], reply.text
        self._keep(reply, self.known_hash, "cache")

    def _upload(self, session: requests.Session, number: int, app: int) -> None:
        """As apps do it: again, when it was told to come back."""
        data = photo(seed=1 + app * 1_000_000 + number)
        while self.upload(session, data) != HTTPStatus.OK:
            time.sleep(0.1)

    def upload(self, session: requests.Session, data: bytes) -> int:
        reply = session.post(
            f"{self.nginx.url}/api/v1/classify",
            files={"image": ("p.jpg", data, "image/jpeg")},
            headers={"Host": HOST},
            timeout=60,
        )
        self._keep(reply, hashlib.sha256(data).hexdigest(), reply.json().get("source", ""))
        return reply.status_code

    def _keep(self, reply: requests.Response, image_hash: str, source: str) -> None:
        self.answers.append(
            Answer(
                reply.status_code,
                reply.headers["X-Request-ID"],
                image_hash,
                source,
                time.monotonic(),
            )
        )
