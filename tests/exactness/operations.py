"""What apps do, as data: a name, how often, and a function that does it once."""

import hashlib
import json
import time
from collections.abc import Callable
from random import Random
from typing import Any

import requests

from tests.exactness import photos
from tests.exactness.witness import Told
from tests.exactness.world import World

TIMEOUT = 90
USERS = 5
MANY = 8
ANSWERED = 200
THINK_SECONDS = 0.05
# A host that is down refuses at once.
LOST_SECONDS = 0.3


class AppClient:
    """An app that keeps its connections, to all hosts in turn."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.session = requests.Session()

    def run_once(self) -> None:
        """One operation by chance; what was lost on its way is counted."""
        time.sleep(self.rng.uniform(0, THINK_SECONDS))
        names = list(OPERATIONS)
        [name] = self.rng.choices(names, [OPERATIONS[name][0] for name in names])
        self.world.witness.count(name)
        try:
            OPERATIONS[name][1](self)
        except requests.RequestException:
            self.world.witness.lose()
            time.sleep(LOST_SECONDS)

    def someone(self) -> tuple[str, dict[str, str]]:
        """Who asks: an app, and the headers that say so."""
        app = self.rng.choice(["anonymous", "camera", "limited"])
        headers = {"X-User-ID": f"user-{self.rng.randrange(USERS)}"}
        if app != "anonymous":
            headers["X-API-Key"] = self.world.keys[app]
        return app, headers

    def known(self) -> int:
        return self.world.photos.known(self.rng.random())

    def post(self, path: str, headers: dict[str, str], **body: Any) -> Any:
        """The JSON of an answer, None if there is none."""
        host = self.rng.choice(self.world.hosts)
        timeout = body.pop("timeout", TIMEOUT)
        url = f"{host.server.base_url}{path}"
        reply = self.session.post(url, headers=headers, timeout=timeout, **body)
        answer = reply.json()
        if reply.status_code == ANSWERED:
            return answer
        self.world.witness.refuse(answer.get("error_code", str(reply.status_code)))
        if answer.get("error_code") == "internal_error" or reply.status_code == 500:
            self.world.witness.defects.append(f"{path} {headers}: {answer}")
        return None

    def tell(self, app: str, number: int, answer: Any, request_id: str) -> None:
        self.world.witness.tell(
            Told(
                at=time.monotonic(),
                request_id=request_id,
                number=number,
                image_hash=photos.hash_of(number),
                data=answer["data"],
                from_cache=bool(answer.get("from_cache", True)),
                source=answer.get("source", "cache"),
                app=app,
            )
        )


def check(client: AppClient) -> None:
    """Ask about a photo by its hash, or by what the app calls its original."""
    app, headers = client.someone()
    number = client.known()
    is_declared = client.rng.random() < 0.3
    asked = photos.declared_hash_of(number) if is_declared else photos.hash_of(number)
    answer = client.post("/classify/check-cache", headers, json={"image_hash": asked})
    if answer and answer["cached"]:
        client.tell(app, number, answer, answer["request_id"])


def check_many(client: AppClient) -> None:
    app, headers = client.someone()
    numbers = {photos.hash_of(number): number for number in (client.known() for _ in range(MANY))}
    answer = client.post(
        "/classify/batch-check-cache", headers, json={"image_hashes": [*numbers, "none"]}
    )
    for item in answer["items"] if answer else ():
        if item["cached"]:
            client.tell(app, numbers[item["image_hash"]], item, answer["request_id"])


def upload_new(client: AppClient) -> None:
    _upload(client, client.world.photos.new())


def upload_latest(client: AppClient) -> None:
    """The photo that somebody else is just uploading."""
    _upload(client, max(client.world.photos.count, 1))


def upload_known(client: AppClient) -> None:
    _upload(client, client.known())


def upload_declared(client: AppClient) -> None:
    number = client.world.photos.new() if client.rng.random() < 0.5 else client.known()
    _upload(client, number, photos.declared_hash_of(number))


def _upload(client: AppClient, number: int, declared: str = "") -> None:
    app, headers = client.someone()
    answer = client.post(
        "/classify",
        headers,
        files={"image": ("p.jpg", photos.photo_of(number), "image/jpeg")},
        data={"image_hash": declared} if declared else {},
    )
    if answer:
        client.tell(app, number, answer, answer["request_id"])


def upload_batch(client: AppClient) -> None:
    app, headers = client.someone()
    numbers = list({client.world.photos.new(), client.world.photos.new(), client.known()})
    images = [("images", (f"{n}.jpg", photos.photo_of(n), "image/jpeg")) for n in numbers]
    images.append(("images", ("none.jpg", b"no photo", "image/jpeg")))
    hashes = json.dumps([None] * len(numbers))
    answer = client.post("/classify/batch", headers, files=images, data={"image_hashes": hashes})
    for item in answer["items"] if answer else ():
        if item["success"]:
            client.tell(app, numbers[item["index"]], item, answer["request_id"])
        elif item["error_code"] == "internal_error":
            client.world.witness.defects.append(f"batch: {item}")


def upload_and_leave(client: AppClient) -> None:
    """Hang up while the model is asked."""
    _, headers = client.someone()
    data = photos.photo_of(client.world.photos.new())
    patience = client.rng.uniform(0.01, 0.3)
    try:
        client.post("/classify", headers, files={"image": ("p.jpg", data)}, timeout=patience)
    except requests.Timeout:
        client.session.close()


def send_nonsense(client: AppClient) -> None:
    """What is refused: no photo, no hash, a wrong key."""
    nonsense: list[tuple[str, dict[str, str], dict[str, Any]]] = [
        ("/classify", {}, {"files": {"image": ("p.jpg", b"none")}}),
        ("/classify/check-cache", {}, {"json": {"image_hash": "x"}}),
        ("/classify/check-cache", {"X-API-Key": "pc_wrong"}, {"json": {"image_hash": "0" * 64}}),
        ("/classify", {}, {"data": b"\0" * 100}),
    ]
    path, headers, body = client.rng.choice(nonsense)
    client.post(path, headers, **body)


def check_unknown(client: AppClient) -> None:
    """A hash that nobody has uploaded is never answered."""
    _, headers = client.someone()
    asked = hashlib.sha256(client.rng.randbytes(8)).hexdigest()
    answer = client.post("/classify/check-cache", headers, json={"image_hash": asked})
    if answer and answer["cached"]:
        client.world.witness.defects.append(f"an answer for an unknown hash: {answer}")


OPERATIONS: dict[str, tuple[int, Callable[[AppClient], None]]] = {
    "check": (30, check),
    "check_many": (6, check_many),
    "check_unknown": (4, check_unknown),
    "upload_new": (20, upload_new),
    "upload_latest": (12, upload_latest),
    "upload_known": (10, upload_known),
    "upload_declared": (8, upload_declared),
    "upload_batch": (5, upload_batch),
    "upload_and_leave": (3, upload_and_leave),
    "send_nonsense": (2, send_nonsense),
}
