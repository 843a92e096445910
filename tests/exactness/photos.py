"""Photos that say which one they are, however they are reduced on their way to the model."""

import base64
import hashlib
import itertools
import threading
from functools import lru_cache
from io import BytesIO
from typing import Any

from PIL import Image

COLUMNS, ROWS = 8, 6
BLOCK = 8
# Not `idcard`, whose description is kept from everybody.
CATEGORIES = ("pets", "foods", "travel_scenery", "screenshot", "single_person", "other")


@lru_cache(4096)
def photo_of(number: int) -> bytes:
    """The JPEG of photo `number`: its bits as black and white blocks."""
    blocks = Image.new("L", (COLUMNS, ROWS))
    blocks.putdata([255 * (number >> bit & 1) for bit in range(COLUMNS * ROWS)])
    file = BytesIO()
    size = (COLUMNS * BLOCK, ROWS * BLOCK)
    blocks.resize(size, Image.Resampling.NEAREST).convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()


def number_in(request: dict[str, Any]) -> int:
    """Which photo a question to the model shows."""
    content = request["input"]["messages"][-1]["content"]
    url = next(part["image"] for part in content if "image" in part)
    image = Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L")
    blocks = image.resize((COLUMNS, ROWS), Image.Resampling.BOX).tobytes()
    return sum(1 << bit for bit, value in enumerate(blocks) if value > 127)


def hash_of(number: int) -> str:
    return hashlib.sha256(photo_of(number)).hexdigest()


def declared_hash_of(number: int) -> str:
    """What apps call the original that photo `number` is a smaller copy of."""
    return hashlib.sha256(f"original of {number}".encode()).hexdigest()


def category_of(number: int) -> str:
    """What the model says of it."""
    return CATEGORIES[number % len(CATEGORIES)]


def description_of(number: int) -> str:
    """What the model says of it in words; a person's correction only adds to them."""
    return f"photo {number}"


class Photos:
    """The numbers that were handed out so far."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.count = 0

    def new(self) -> int:
        with self._lock:
            self.count = next(self._numbers)
            return self.count

    def known(self, choice: float) -> int:
        """One that was handed out, mostly a recent one; `choice` is from 0 to 1."""
        return max(self.count - int(self.count * choice**2), 1)
