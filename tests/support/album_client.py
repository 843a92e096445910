"""An album app, written from the older service's documented API.

It hashes the original file, asks, and on a miss uploads a smaller copy with the original's hash.
Nothing of the service's own code is used here.
"""

import hashlib
import io
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import requests
from PIL import Image

SECONDS = 30
PAUSES = (1, 2, 4)
HASHES_AT_ONCE = 100
PHOTOS_AT_ONCE = 20


class NoAnswer(Exception):
    """The service did not answer, however often it was asked."""


class AlbumClient:
    """One user's app; `base_url` ends with /api/v1."""

    def __init__(self, base_url: str, user_id: str, pause: float = 1.0) -> None:
        self._base_url = base_url
        self._user_id = user_id
        self._pause = pause
        self.uploads = 0

    def is_on(self) -> bool:
        """Whether the app offers the feature; it asks every five minutes."""
        health = self._send(lambda: requests.get(f"{self._base_url}/health", timeout=SECONDS))
        return (health["status"], health["database"], health["model_api"]) == (
            "healthy",
            "connected",
            "available",
        )

    def classify(self, original: bytes) -> dict[str, Any]:
        """The `data` of one photo."""
        image_hash = _digest(original)
        body = {"image_hash": image_hash, "user_id": self._user_id}
        known = self._post("classify/check-cache", json=body)
        if known["cached"]:
            return dict(known["data"])
        self.uploads += 1
        files = {"image": ("photo.jpg", shrunken(original), "image/jpeg")}
        return dict(self._post("classify", files=files, data=body)["data"])

    def classify_album(self, originals: Sequence[bytes]) -> list[dict[str, Any] | None]:
        """The `data` of each photo, in their order; None where there is no answer."""
        hashes = [_digest(original) for original in originals]
        known: dict[str, Any] = {}
        for some in _in_chunks(hashes, HASHES_AT_ONCE):
            body = {"image_hashes": some, "user_id": self._user_id}
            answer = self._post("classify/batch-check-cache", json=body)
            known |= {item["image_hash"]: item["data"] for item in answer["items"]}
        missing = [index for index, each in enumerate(hashes) if known.get(each) is None]
        for indexes in _in_chunks(missing, PHOTOS_AT_ONCE):
            items = self._upload([originals[index] for index in indexes])
            known |= {hashes[indexes[item["index"]]]: item["data"] for item in items}
        return [known[each] for each in hashes]

    def _upload(self, originals: Sequence[bytes]) -> Any:
        self.uploads += len(originals)
        files = [
            ("images", (f"{number}.jpg", shrunken(original), "image/jpeg"))
            for number, original in enumerate(originals)
        ]
        hashes = "[" + ",".join(f'"{_digest(original)}"' for original in originals) + "]"
        fields = {"image_hashes": hashes, "user_id": self._user_id}
        return self._post("classify/batch", files=files, data=fields)["items"]

    def _post(self, path: str, **options: Any) -> Any:
        url = f"{self._base_url}/{path}"
        return self._send(lambda: requests.post(url, timeout=SECONDS, **options))

    def _send(self, request: Callable[[], requests.Response]) -> Any:
        """The answer's body; tried again on network errors and while the service is away."""
        for pause in (*PAUSES, None):
            try:
                answer = request()
            except requests.RequestException:
                answer = None
            if answer is not None and answer.status_code != requests.codes.service_unavailable:
                return answer.json()
            if pause is None or (answer is not None and "Retry-After" not in answer.headers):
                break
            time.sleep(pause * self._pause)
        raise NoAnswer


def shrunken(original: bytes) -> bytes:
    """A copy of at most 1024 pixels, as the app uploads it."""
    image = Image.open(io.BytesIO(original)).convert("RGB")
    image.thumbnail((1024, 1024))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _in_chunks(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))
