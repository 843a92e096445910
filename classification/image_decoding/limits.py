"""Limits on the resources that decoding an image may take, checked before it is decoded.

Seconds are CPU time on a core of 2024; `__main__` ends a process that takes more.
"""

from enum import IntEnum

from classification.image_decoding.errors import ImageError

MIN_SIDE = 10
MAX_ASPECT = 200
# Photos of 200 megapixels are 16320 x 12240.
MAX_PIXELS = 208 * 1024 * 1024
# Memory for decoding; with the file and the 60 MB of the process itself, it stays below 800 MB.
MAX_DECODED_BYTES = 690 * 1000 * 1000
# Segments, chunks, blocks or boxes of a file that are parsed in Python: no photo comes close.
MAX_PARTS = 20_000

# The memory limit of a decoder process; and the peak from which one is replaced by a new one.
MAX_PROCESS_BYTES = 780 * 1000 * 1000
KEPT_BYTES = 250 * 1000 * 1000
# CPU time: to parse a file, and the most for any file.
INSPECT_SECONDS = 1.0
MAX_SECONDS = 4.0


class Cost(IntEnum):
    """The class of resources that decoding a file is expected to take, known from its headers."""

    CHEAP = 0
    # Up to what phones produce: HEIC of 24 megapixels.
    ORDINARY = 1
    EXPENSIVE = 2


# The maximum seconds and bytes of each class.
_MAXIMA = {Cost.CHEAP: (0.15, 250e6), Cost.ORDINARY: (1.5, 330e6)}


def cost(seconds: float, decoded_bytes: float) -> Cost:
    """The class of a file whose decoding is expected to take this many seconds and bytes."""
    for each, (max_seconds, max_bytes) in _MAXIMA.items():
        if seconds <= max_seconds and decoded_bytes <= max_bytes:
            return each
    return Cost.EXPENSIVE


def allowed_seconds(expected: float) -> float:
    """The CPU seconds granted to a file that is expected to take `expected` seconds: some machines
    are slower, and some photos harder, than those measured. Anything beyond is an attack."""
    return 0.5 + 3 * expected


def check_dimensions(width: int, height: int) -> None:
    """Raise ImageError for a picture (in pixels) that is too small, too large or too narrow."""
    short, long = sorted((width, height))
    if short < MIN_SIDE or long > MAX_ASPECT * short or width * height > MAX_PIXELS:
        raise ImageError("image_dimensions")


def check_memory(decoded_bytes: float) -> None:
    """Raise ImageError for a picture whose decoding takes more memory than a process may have."""
    if decoded_bytes > MAX_DECODED_BYTES:
        raise ImageError("image_dimensions")
