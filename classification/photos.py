"""From the bytes of an upload to a checked photo and the reduced JPEG that a model is sent.

Everything happens in memory: no photo ever touches the disk.
"""

import contextlib
import hashlib
import os
import re
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType

import pillow_heif
from PIL import ExifTags, Image, ImageOps

from classification import turns
from classification.errors import Refusal

HASH = re.compile(r"[0-9a-fA-F]{64}")
MIN_SIDE = 10
MAX_ASPECT = 200
MAX_PIXELS = 64 * 1024 * 1024
# DashScope takes a data URI of 10 MiB, a third of which is base64's; sides must be over 10 px.
MAX_JPEG_BYTES = 7_500_000
MODEL_MIN_SIDE = 11
JPEG_QUALITIES = (85, 70, 50, 30, 10)

# Pillow's name of a format -> the words for it in ALLOWED_IMAGE_FORMATS. Phones write JPEGs with
# several pictures inside, which Pillow calls MPO.
FORMAT_WORDS = MappingProxyType(
    {
        "JPEG": {"jpg", "jpeg"},
        "MPO": {"jpg", "jpeg"},
        "PNG": {"png"},
        "WEBP": {"webp"},
        "GIF": {"gif"},
        "HEIF": {"heic", "heif"},
    }
)
CAMERA_TAGS = {ExifTags.Base.Make, ExifTags.Base.Model}

pillow_heif.register_heif_opener()
# The number of pixels is checked below, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


def _give_way() -> None:
    """Let the system run other threads first: known photos are answered while new ones are
    decoded, by the dozen after an album was opened."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


# A decoded photo is up to 256 MB: two at once bound the memory of a process.
_decoders = ThreadPoolExecutor(2, thread_name_prefix="decoder", initializer=_give_way)


@dataclass(frozen=True, slots=True)
class Photo:
    """A checked upload. `size` is its bytes; `width` and `height` are its upright pixels; `jpeg`
    is upright, RGB, reduced and free of metadata, the only form that leaves the house."""

    sha256: str
    size: int
    format: str
    width: int
    height: int
    has_camera_data: bool
    jpeg: bytes


def digest(data: bytes) -> str:
    """The SHA-256 of exactly these bytes, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def prepare(data: bytes, *, allowed_formats: Iterable[str], max_side: int) -> Photo:
    """Check an upload by its content and reduce it to `max_side` pixels on the longest side.

    Raises Refusal: invalid_image, unsupported_format or image_dimensions.
    """
    image = _open(data, set(allowed_formats))
    _check_dimensions(*image.size)
    try:
        # verify() compares a PNG's checksums, which decoding does not; it uses the image up.
        image.verify()
        image = Image.open(BytesIO(data), formats=[image.format or ""])
        with turns.give_way():
            reduced = _decoders.submit(_reduce, image, max_side).result()
    except Exception as error:  # decoders raise nearly anything on broken data
        raise Refusal("invalid_image") from error
    has_camera_data, width, height, jpeg = reduced
    return Photo(
        sha256=digest(data),
        size=len(data),
        format=image.format or "",
        width=width,
        height=height,
        has_camera_data=has_camera_data,
        jpeg=jpeg,
    )


def _open(data: bytes, allowed_formats: set[str]) -> Image.Image:
    """The image with only its header read; it is not decoded yet."""
    try:
        image = Image.open(BytesIO(data))
    except Exception as error:
        raise Refusal("invalid_image") from error
    if not FORMAT_WORDS.get(image.format or "", set()) & allowed_formats:
        raise Refusal("unsupported_format")
    return image


def _check_dimensions(width: int, height: int) -> None:
    short, long = sorted((width, height))
    if short < MIN_SIDE or long > MAX_ASPECT * short or width * height > MAX_PIXELS:
        raise Refusal("image_dimensions")


def _reduce(image: Image.Image, max_side: int) -> tuple[bool, int, int, bytes]:
    """Whether a camera is named, the upright width and height, and the JPEG for a model."""
    exif = image.getexif()
    width, height = image.size
    if exif.get(ExifTags.Base.Orientation, 1) >= 5:
        width, height = height, width
    # Decodes a JPEG at a fraction of its size where that is enough. Bicubic, as Qwen's own
    # preprocessing does; Lanczos took half as long again.
    image.thumbnail((max_side, max_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    image.load()
    upright = ImageOps.exif_transpose(image)
    return bool(CAMERA_TAGS & set(exif)), width, height, _encode(_pad(_rgb(upright)))


def _rgb(image: Image.Image) -> Image.Image:
    """The image in RGB, what is transparent shown on white."""
    if image.mode.startswith("I"):  # 16 bits a channel, which convert() would clip
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    ground = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(ground, layer).convert("RGB")


def _pad(image: Image.Image) -> Image.Image:
    """The image on a ground that is wide and high enough for the model."""
    size = max(image.width, MODEL_MIN_SIDE), max(image.height, MODEL_MIN_SIDE)
    if size == image.size:
        return image
    ground = Image.new("RGB", size, "white")
    ground.paste(image)
    return ground


def _encode(image: Image.Image) -> bytes:
    # A new image carries no metadata: a phone's GPS position does not leave the house.
    image.info.clear()
    for quality in JPEG_QUALITIES:
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MAX_JPEG_BYTES:
            return buffer.getvalue()
    raise ValueError("The image cannot be made small enough.")


def sample() -> bytes:
    """A small grey JPEG that is nobody's photo, to try a model with."""
    return _encode(Image.new("RGB", (64, 64), "gray"))
