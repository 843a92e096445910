"""Turns the bytes of an upload into a checked photo with the reduced JPEG that is sent to a model.

Everything happens in memory: no photo ever touches the disk.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from classification.errors import ServiceError
from classification.image_decoding.errors import ImageError
from classification.images import decoder_pool
from core.sharing import cpu_gate

HASH = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Photo:
    """A checked upload. `size` is in bytes; `width` and `height` are the upright picture's, in
    pixels; `jpeg` is upright, RGB, reduced to `max_side` pixels and without metadata: the only form
    that is ever sent to a provider."""

    sha256: str
    size: int
    format: str
    width: int
    height: int
    has_camera_data: bool
    max_side: int
    jpeg: bytes


def digest(data: bytes) -> str:
    """The SHA-256 of exactly these bytes, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def prepare(
    data: bytes,
    *,
    allowed_formats: Iterable[str],
    max_side: int,
    client: str = "",
    is_one_of_many: bool = False,
) -> Photo:
    """Check an upload by its content and reduce it to `max_side` pixels on the longer side.

    Files are scheduled fairly by `client`, and one of many after all else. Raises ServiceError:
    invalid_image, unsupported_format or image_dimensions; model_busy if no decoder gets CPU time.
    """
    try:
        with cpu_gate.released():
            answer = decoder_pool.decode(
                data,
                allowed_formats=list(allowed_formats),
                max_side=max_side,
                client=client,
                is_one_of_many=is_one_of_many,
            )
    except ImageError as error:
        raise ServiceError(error.code) from error
    except TimeoutError as error:
        raise ServiceError("model_busy") from error
    return Photo(
        sha256=digest(data),
        size=len(data),
        max_side=max_side,
        jpeg=answer.jpeg,
        **answer.facts,
    )


def sample() -> bytes:
    """A small grey JPEG for testing a model."""
    buffer = BytesIO()
    Image.new("RGB", (64, 64), "gray").save(buffer, "JPEG")
    return buffer.getvalue()
