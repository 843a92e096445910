"""Decodes the bytes of a file to a reduced JPEG. Runs in a process of its own, see `__main__`; must
not import Django."""

import contextlib
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO

import pillow_heif
from PIL import Image, ImageFile

from classification.image_decoding import exif, limits
from classification.image_decoding.containers import gif, isobmff, jpeg, png, webp
from classification.image_decoding.containers.source import Source
from classification.image_decoding.errors import ImageError
from classification.image_decoding.formats import FORMAT_WORDS, identify
from classification.image_decoding.reduce import reduce, shown_part

# DashScope accepts data URIs of 10 MiB; base64 adds a third.
MAX_JPEG_BYTES = 7_500_000
JPEG_QUALITIES = (85, 70, 50, 30, 10)
# Decode at least this many times larger than what is sent, and reduce from there.
DRAFT_GAP = 1.5

# The number of pixels is checked here, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

_READERS = {"JPEG": jpeg.read, "PNG": png.read, "WEBP": webp.read, "GIF": gif.read}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A reduced picture; `width` and `height` are those of the original, upright."""

    format: str
    width: int
    height: int
    has_camera_data: bool
    jpeg: bytes


def inspect(data: bytes, allowed_formats: Iterable[str]) -> Source:
    """Parse a file without decoding it. Raises ImageError if it is invalid, not allowed, or would
    take too much time or memory to decode."""
    image_format = identify(data)
    allowed = set(allowed_formats)
    words = FORMAT_WORDS[image_format]
    if image_format == "JPEG":
        words = words | FORMAT_WORDS["MPO"]
    if not words & allowed:
        raise ImageError("unsupported_format")
    reader = _READERS.get(image_format) or functools.partial(
        isobmff.read, image_format=image_format
    )
    source = reader(data)
    if not FORMAT_WORDS[source.format] & allowed:
        raise ImageError("unsupported_format")
    limits.check_dimensions(source.width, source.height)
    limits.check_memory(source.memory)
    return source


def decode(source: Source, max_side: int) -> Decoded:
    """Decode a picture and reduce it to `max_side` pixels. Raises ImageError if it is truncated,
    and nearly anything else: decoders do so on broken data."""
    image = _open(source, max_side)
    width, height = source.width, source.height
    if source.orientation >= 5:
        width, height = height, width
    limits.check_dimensions(width, height)
    reduced = reduce(image, source, max_side)
    return Decoded(source.format, width, height, source.has_camera_data, encode(reduced))


def encode(image: Image.Image) -> bytes:
    """Encode an RGB picture as a JPEG of at most MAX_JPEG_BYTES, without metadata. Raises
    ImageError."""
    # A phone's GPS position must not be sent.
    image.info.clear()
    for quality in JPEG_QUALITIES:
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MAX_JPEG_BYTES:
            return buffer.getvalue()
    raise ImageError("image_dimensions")


def _open(source: Source, max_side: int) -> Image.Image:
    if source.format in ("JPEG", "MPO"):
        return _open_jpeg(source, max_side)
    if source.format == "HEIF":
        return _open_heif(source)
    if source.format == "AVIF":
        return _open_avif(source)
    if source.format == "WEBP":
        return _open_webp(source)
    if source.format == "PNG":
        return _on_screen(_open_png(source), source)
    return _on_screen(Image.open(BytesIO(source.data), formats=["GIF"]), source)


def _on_screen(image: Image.Image, source: Source) -> Image.Image:
    """A frame on its screen, the rest of which is transparent, as in browsers."""
    image.load()
    if image.size == (source.width, source.height):
        return image
    screen = Image.new("RGBA", (source.width, source.height))
    screen.paste(image.convert("RGBA"), source.place)
    return screen


def _open_png(source: Source) -> Image.Image:
    """Decode a PNG. The checksum of its pixels may be wrong; and an interlaced one may end where
    all of it can be seen in less detail."""
    data, is_cut = source.data, False
    try:
        image = _png(data)
    except OSError:
        mended = png.with_right_checksum(data)
        data, is_cut = mended or data, not mended
        with _tolerance() if is_cut else contextlib.nullcontext():
            image = _png(data)
    if not _ends_in_black(image):
        return image
    grid = png.grid(data)
    if grid is None or (is_cut and grid == (1, 1)):
        raise ImageError
    if grid == (1, 1):
        return image
    limits.check_memory(source.memory + 6 * image.width * image.height)
    return _filled(image, *grid)


def _png(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data), formats=["PNG"])
    image.load()
    return image


@contextlib.contextmanager
def _tolerance() -> Iterator[None]:
    """Within the block, Pillow leaves black what it cannot decode."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _filled(image: Image.Image, across: int, down: int) -> Image.Image:
    """A picture of which only the pixels so many columns and rows apart are there, each in place of
    those right of and below it, too."""
    size = -(-image.width // across), -(-image.height // down)
    place = (across, 0, (1 - across) / 2, 0, down, (1 - down) / 2)
    there = image.transform(size, Image.Transform.AFFINE, place)
    box = (0, 0, image.width / across, image.height / down)
    return there.resize(image.size, Image.Resampling.NEAREST, box)


def _ends_in_black(image: Image.Image) -> bool:
    """Whether one of the last two rows, in which the last pass of an interlaced picture ends, is as
    the decoder leaves it that finds no data for it."""
    rows = ((0, row, image.width, row + 1) for row in (image.height - 2, image.height - 1))
    return any(image.crop(row).getbbox(alpha_only=False) is None for row in rows)


def _open_webp(source: Source) -> Image.Image:
    """Decode a WebP. Of one whose zeros are those of a flat area, the decoder needs each; of one
    padded with zeros, it needs some and leaves the rest."""
    if source.with_less_padding:
        without_a_few, without_most = map(_is_decodable, source.with_less_padding)
        if without_a_few and not without_most:
            raise ImageError
    image = Image.open(BytesIO(source.data), formats=["WEBP"])
    if image.size != (source.width, source.height):
        raise ImageError
    image.load()
    return image


def _is_decodable(webp: bytes) -> bool:
    try:
        Image.open(BytesIO(webp), formats=["WEBP"]).load()
    except OSError:
        return False
    return True


def _open_jpeg(source: Source, max_side: int) -> Image.Image:
    """Decode a JPEG, at a fraction of its size if that is enough."""
    image = _drafted(source.data + jpeg.END, source, max_side)
    if source.is_outlined:
        return image
    if source.is_open_ended or _ends_in_grey(image):
        # The decoder fills in zeros for missing data. If ones give another picture, more than the
        # end marker is missing.
        other = _drafted(source.data + jpeg.OTHER_END, source, max_side)
        if image.tobytes() != other.tobytes():
            raise ImageError
    if source.data.endswith(jpeg.PADDING):
        # As of WebP: those of a flat area are needed, of padding only the first.
        without_a_few, without_most = (
            _drafted(data + jpeg.END, source, max_side).tobytes()
            for data in (source.data[:-8], source.data.rstrip(b"\0") + b"\0")
        )
        if without_a_few == image.tobytes() != without_most:
            raise ImageError
    return image


def _ends_in_grey(image: Image.Image) -> bool:
    """Whether the last pixel is as decoders leave it that find no data for it."""
    last = image.getpixel((image.width - 1, image.height - 1))
    return all(
        abs((band or 0) - 128) <= 1 for band in (last if isinstance(last, tuple) else (last,))
    )


def _drafted(data: bytes, source: Source, max_side: int) -> Image.Image:
    image = Image.open(BytesIO(data), formats=["JPEG"])
    left, top, right, bottom = shown_part(image.size, source.orientation)
    scale = DRAFT_GAP * max_side / max(right - left, bottom - top)
    image.draft("", (round(image.width * scale), round(image.height * scale)))
    limits.check_memory(source.memory + 4 * image.width * image.height)
    image.load()
    return image


def _open_heif(source: Source) -> Image.Image:
    file = pillow_heif.open_heif(source.data, remove_stride=False)
    picture = file[file.primary_index]
    metadata = picture.info["exif"]
    block = metadata if isinstance(metadata, bytes) else b""
    facts = exif.read(block.removeprefix(exif.PREFIX))
    source.has_camera_data = facts.has_camera_data
    if not source.is_turned:
        source.orientation = facts.orientation
    data = picture.data
    source.width, source.height = picture.size
    mode = picture.mode
    # The last argument says that the first row is the top one.
    return Image.frombuffer(mode, picture.size, data, "raw", mode, picture.stride, 1)


def _open_avif(source: Source) -> Image.Image:
    """Decode an AVIF; browsers rotate it as its boxes say, never by EXIF."""
    # Compared without a copy of either picture.
    shades = _avif(source.with_other_padding).histogram() if source.with_other_padding else None
    image = _avif(source.data)
    if shades and shades != image.histogram():
        raise ImageError
    # Pillow puts the rotation of the boxes into EXIF, and ignores the crop.
    metadata = image.info.get("exif", b"").removeprefix(exif.PREFIX)
    source.orientation, source.has_camera_data = exif.read(metadata)
    if source.clean_size:
        image = image.crop((0, 0, *source.clean_size))
    source.width, source.height = image.size
    return image


def _avif(data: bytes) -> Image.Image:
    try:
        image = Image.open(BytesIO(data), formats=["AVIF"])
    except Exception:  # Pillow parses EXIF eagerly, and fails if it is malformed
        head, mark, pixels = data.partition(b"mdat")
        data = head.replace(b"Exif", b"skip") + mark + pixels
        image = Image.open(BytesIO(data), formats=["AVIF"])
    image.load()
    return image
