"""PNG: a sequence of chunks, each with a checksum."""

import struct
import zlib
from dataclasses import dataclass, field

from classification.image_decoding import exif, hdr, profiles
from classification.image_decoding.containers.source import CodingPoints, Source
from classification.image_decoding.errors import ImageError
from classification.image_decoding.limits import MAX_PARTS

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CRITICAL = (b"IHDR", b"PLTE", b"IDAT")
FRAME_BYTES = 26
SECONDS_PER_PIXEL = 30e-9
MAX_ICC_BYTES = 4 * 1024 * 1024
SAMPLES_PER_PIXEL = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
# The passes of an interlaced picture: the first column and row, and the steps between them.
PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
# What is inflated of them at once becomes 16 MB at most.
INFLATED_BYTES = 16 * 1024
# Decoded pixels take 4 bytes; with transparency, 4 more while the picture is reduced; a frame that
# has to be placed, 4 more again.
BYTES_PER_PIXEL, BYTES_PER_CLEAR_PIXEL, BYTES_PER_PLACED_PIXEL = 5, 9, 13


@dataclass(slots=True)
class _Chunks:
    header: bytes = b""
    palette: bytes = b""
    transparency: bytes = b""
    pixels: list[bytes] = field(default_factory=list)
    # Whether another chunk has followed the pixels.
    is_past_pixels: bool = False
    # An animation's first frame, if that is not the picture that other programs show.
    frames: int = 0
    frame: bytes = b""
    frame_pixels: list[bytes] = field(default_factory=list)
    metadata: dict[bytes, bytes] = field(default_factory=dict)


def read(data: bytes) -> Source:
    """The picture of a file. Raises ImageError if there is none, if the checksum of a critical
    chunk is wrong, or for too many parts."""
    chunks = _walk(data)
    if len(chunks.header) != 13 or not chunks.pixels:
        raise ImageError("invalid_image")
    width, height, _, colour = struct.unpack_from(">IIBB", chunks.header)
    pixels = width * height
    place = _use_frame(chunks, width, height)
    bytes_per_pixel = BYTES_PER_PIXEL
    if colour in (GREY_ALPHA, RGBA) or chunks.transparency:
        bytes_per_pixel = BYTES_PER_CLEAR_PIXEL
    if place:
        bytes_per_pixel = BYTES_PER_PLACED_PIXEL
    facts = exif.read(chunks.metadata.get(b"eXIf", b""))
    source = Source(
        "PNG",
        _without_metadata(chunks),
        width,
        height,
        memory=pixels * bytes_per_pixel,
        seconds=pixels * SECONDS_PER_PIXEL,
        orientation=facts.orientation,
        has_camera_data=facts.has_camera_data,
        place=place or (0, 0),
    )
    _read_colour(source, chunks.metadata)
    return source


def has_all_rows(png: bytes) -> bool:
    """Whether the compressed pixels of a Source's `data` are as many as its header says. Decoders
    leave missing rows black."""
    chunks = _walk(png)
    missing = _filtered_bytes(chunks.header)
    inflater = zlib.decompressobj()
    (pixels,) = chunks.pixels
    for start in range(0, len(pixels), INFLATED_BYTES):
        missing -= len(inflater.decompress(pixels[start : start + INFLATED_BYTES]))
        if missing <= 0 or inflater.eof:
            break
    return missing <= 0


def _filtered_bytes(header: bytes) -> int:
    """The size of the pixels before they were compressed, with a byte for each row's filter."""
    width, height, depth, colour, _, _, is_interlaced = struct.unpack(">IIBBBBB", header)
    total = 0
    for column, row, across, down in PASSES if is_interlaced else ((0, 0, 1, 1),):
        columns, rows = -((column - width) // across), -((row - height) // down)
        if columns > 0:
            total += rows * (1 + -(-columns * depth * SAMPLES_PER_PIXEL[colour] // 8))
    return total


def _walk(data: bytes) -> _Chunks:
    chunks = _Chunks()
    position = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        checksum = data[position + 8 + length : position + 12 + length]
        if not kind or kind == b"IEND":
            return chunks
        is_right = len(checksum) == 4 and int.from_bytes(checksum, "big") == zlib.crc32(
            body, zlib.crc32(kind)
        )
        _take(chunks, kind, body, is_right=is_right, is_cut=len(checksum) < 4)
        position += length + 12
    raise ImageError("invalid_image")


def _take(chunks: _Chunks, kind: bytes, body: bytes, *, is_right: bool, is_cut: bool) -> None:
    _check_critical(chunks, kind, is_right=is_right, is_cut=is_cut)
    if kind == b"IDAT":
        # Browsers decode what is in one sequence.
        if not chunks.is_past_pixels:
            chunks.pixels.append(body)
        return
    chunks.is_past_pixels = bool(chunks.pixels)
    if not is_right:
        return
    if kind == b"IHDR":
        chunks.header = chunks.header or body
    elif kind in (b"fcTL", b"fdAT"):
        _take_frame(chunks, kind, body)
    elif chunks.pixels:
        return  # too late: browsers have begun to show the picture
    elif kind == b"PLTE":
        chunks.palette = body
    elif kind == b"tRNS":
        chunks.transparency = body
    elif kind in (b"eXIf", b"iCCP", b"cICP", b"sRGB", b"gAMA", b"cHRM", b"acTL"):
        chunks.metadata.setdefault(kind, body)


def _check_critical(chunks: _Chunks, kind: bytes, *, is_right: bool, is_cut: bool) -> None:
    """Raise ImageError for a chunk without which the pixels cannot be understood, if it is damaged
    or not known. Browsers have shown the picture before they come to an unknown one behind it."""
    is_critical = not kind[0] & 0x20
    if is_critical and not is_right and not (is_cut and kind == b"IDAT"):
        raise ImageError("invalid_image")
    if is_critical and kind not in CRITICAL and not chunks.pixels:
        raise ImageError("invalid_image")


def _take_frame(chunks: _Chunks, kind: bytes, body: bytes) -> None:
    if kind == b"fcTL":
        chunks.frames += 1
        if chunks.frames == 1 and chunks.pixels:
            chunks.frame = body
    elif chunks.frames == 1 and chunks.frame:
        chunks.frame_pixels.append(body[4:])


def _use_frame(chunks: _Chunks, width: int, height: int) -> tuple[int, int] | None:
    """Replace the picture by the animation's first frame, as browsers do, and return its place; or
    None if the picture is that frame, or there is no animation."""
    is_animated = int.from_bytes(chunks.metadata.get(b"acTL", b"")[:4], "big") > 0
    if not is_animated or not chunks.frame_pixels or len(chunks.frame) != FRAME_BYTES:
        return None
    frame_width, frame_height, left, top = struct.unpack_from(">4I", chunks.frame, 4)
    if left + frame_width > width or top + frame_height > height:
        return None
    chunks.header = struct.pack(">II", frame_width, frame_height) + chunks.header[8:]
    chunks.pixels = chunks.frame_pixels
    return left, top


def _transparency(chunks: _Chunks) -> bytes:
    """The tRNS chunk for the decoder, which compares a transparent colour with samples of 8 bits;
    nothing if browsers ignore it."""
    depth, colour = chunks.header[8:10]
    body = chunks.transparency
    if colour == PALETTE:
        return body if len(body) <= len(chunks.palette) // 3 else b""
    if len(body) != {GREY: 2, RGB: 6}.get(colour):
        return b""
    samples = struct.unpack(f">{len(body) // 2}H", body)
    most = (1 << depth) - 1
    eight = [each >> 8 if depth == 16 else min(each, most) * 255 // most for each in samples]
    return struct.pack(f">{len(samples)}H", *eight)


def _without_metadata(chunks: _Chunks) -> bytes:
    parts = [_chunk(b"IHDR", chunks.header)]
    if chunks.palette:
        parts.append(_chunk(b"PLTE", chunks.palette))
    if transparency := _transparency(chunks):
        parts.append(_chunk(b"tRNS", transparency))
    return b"".join(
        [SIGNATURE, *parts, _chunk(b"IDAT", b"".join(chunks.pixels)), _chunk(b"IEND", b"")]
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return (
        struct.pack(">I", len(body))
        + kind
        + body
        + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
    )


def _read_colour(source: Source, metadata: dict[bytes, bytes]) -> None:
    """Read the chunk on colours that takes precedence."""
    if points := _coding_points(metadata.get(b"cICP", b"")):
        source.coding_points = points
    elif b"iCCP" in metadata:
        source.icc = _inflated(metadata[b"iCCP"])
    elif b"sRGB" not in metadata and len(gamma := metadata.get(b"gAMA", b"")) == 4:
        source.gamma = int.from_bytes(gamma, "big") / 100_000 or None
        if len(chromaticities := metadata.get(b"cHRM", b"")) == 32:
            source.chromaticities = tuple(
                each / 100_000 for each in struct.unpack(">8I", chromaticities)
            )


def _coding_points(chunk: bytes) -> CodingPoints | None:
    """Those of RGB samples in the full range; None for any others, which browsers ignore."""
    if len(chunk) != 4 or chunk[2:] != b"\0\1":
        return None
    points = CodingPoints(chunk[0], chunk[1])
    return points if points.transfer in hdr.TRANSFERS or profiles.is_known(points) else None


def _inflated(chunk: bytes) -> bytes | None:
    """The profile of an iCCP chunk; None if it is damaged or larger than MAX_ICC_BYTES."""
    compressed = chunk.partition(b"\0")[2][1:]
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(compressed, MAX_ICC_BYTES)
    except zlib.error:
        return None
    return None if inflater.unconsumed_tail else profile
