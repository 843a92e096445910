"""PNG: a sequence of chunks, each with a checksum."""

import struct
import zlib
from dataclasses import dataclass, field

from classification.image_decoding import exif
from classification.image_decoding.containers.source import CodingPoints, Source
from classification.image_decoding.errors import ImageError
from classification.image_decoding.limits import MAX_PARTS

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE, GREY_ALPHA, RGBA = 3, 4, 6
SECONDS_PER_PIXEL = 30e-9
MAX_ICC_BYTES = 4 * 1024 * 1024
SRGB_GAMMA = 0.45455
# Decoded pixels take 4 bytes; with transparency, 4 more while the picture is reduced.
BYTES_PER_PIXEL, BYTES_PER_CLEAR_PIXEL = 5, 9


@dataclass(slots=True)
class _Chunks:
    header: bytes = b""
    palette: bytes = b""
    transparency: bytes = b""
    pixels: list[bytes] = field(default_factory=list)
    metadata: dict[bytes, bytes] = field(default_factory=dict)


def read(data: bytes) -> Source:
    """The picture of a file. Raises ImageError if there is none, if the checksum of a critical
    chunk is wrong, or for too many parts."""
    chunks = _walk(data)
    if len(chunks.header) != 13 or not chunks.pixels:
        raise ImageError("invalid_image")
    width, height, _, colour = struct.unpack_from(">IIBB", chunks.header)
    pixels = width * height
    is_clear = colour in (GREY_ALPHA, RGBA) or (colour == PALETTE and chunks.transparency)
    facts = exif.read(chunks.metadata.get(b"eXIf", b""))
    source = Source(
        "PNG",
        _without_metadata(chunks),
        width,
        height,
        memory=pixels * (BYTES_PER_CLEAR_PIXEL if is_clear else BYTES_PER_PIXEL),
        seconds=pixels * SECONDS_PER_PIXEL,
        orientation=facts.orientation,
        has_camera_data=facts.has_camera_data,
    )
    _read_colour(source, chunks.metadata)
    return source


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
    is_critical = not kind[0] & 0x20
    if is_critical and not is_right and not (is_cut and kind == b"IDAT"):
        raise ImageError("invalid_image")
    if kind == b"IDAT":
        chunks.pixels.append(body)
    elif not is_right:
        return
    elif kind == b"IHDR":
        chunks.header = chunks.header or body
    elif kind == b"PLTE":
        chunks.palette = body
    elif kind == b"tRNS":
        chunks.transparency = body
    elif kind in (b"eXIf", b"iCCP", b"cICP", b"sRGB", b"gAMA", b"acTL", b"fcTL"):
        chunks.metadata.setdefault(kind, body)


def _without_metadata(chunks: _Chunks) -> bytes:
    parts = [_chunk(b"IHDR", chunks.header)]
    if chunks.palette:
        parts.append(_chunk(b"PLTE", chunks.palette))
    if chunks.transparency:
        parts.append(_chunk(b"tRNS", chunks.transparency))
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
    if len(points := metadata.get(b"cICP", b"")) == 4:
        source.coding_points = CodingPoints(points[0], points[1])
    elif b"iCCP" in metadata:
        source.icc = _inflated(metadata[b"iCCP"])
    elif b"sRGB" not in metadata and len(gamma := metadata.get(b"gAMA", b"")) == 4:
        source.gamma = int.from_bytes(gamma, "big") / 100_000 or None


def _inflated(chunk: bytes) -> bytes | None:
    """The profile of an iCCP chunk; None if it is damaged or larger than MAX_ICC_BYTES."""
    compressed = chunk.partition(b"\0")[2][1:]
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(compressed, MAX_ICC_BYTES)
    except zlib.error:
        return None
    return None if inflater.unconsumed_tail else profile
