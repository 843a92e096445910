"""Generate photos for tests, so that none has to be stored."""

import random
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()


def photo(
    image_format: str = "JPEG",
    *,
    size: tuple[int, int] = (64, 48),
    mode: str = "RGB",
    seed: int = 0,
    **save_options: Any,
) -> bytes:
    """The bytes of a picture of coloured noise; another seed makes another photo."""
    noise = random.Random(seed)  # noqa: S311
    small = Image.frombytes("RGB", (8, 6), noise.randbytes(8 * 6 * 3))
    buffer = BytesIO()
    small.resize(size).convert(mode).save(buffer, image_format, **save_options)
    return buffer.getvalue()
