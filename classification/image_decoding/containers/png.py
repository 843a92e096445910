"""PNG: a sequence of chunks, each with a checksum."""

import struct
import zlib
from dataclasses import dataclass, field

from classification.image_decoding import exif, hdr, icc, profiles
from classification.image_decoding.containers.source import CodingPoints, Source
from classification.image_decoding.errors import ImageError
from classification.image_decoding.limits import MAX_PARTS

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CRITICAL = (b"IHDR", b"PLTE", b"IDAT")
HEADER_BYTES, FRAME_BYTES, ZLIB_HEADER_BYTES = 13, 26, 2
# In the header.
INTERLACE = 12
MAX_COLOURS = 256
# The sizes of chunks; others are ignored.
METADATA = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32}
SECONDS_PER_PIXEL = 30e-9
MAX_ICC_BYTES = 4 * 1024 * 1024
SAMPLES_PER_PIXEL = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
# The first column and row of a pass, and the steps between them; and those between the pixels that
# are there after it.
SINGLE_PASS = (0, 0, 1, 1, (1, 1))
PASSES = (
    (0, 0, 8, 8, (8, 8)),
    (4, 0, 8, 8, (4, 8)),
    (0, 4, 4, 8, (4, 4)),
    (2, 0, 4, 4, (2, 4)),
    (0, 2, 2, 4, (2, 2)),
    (1, 0, 2, 2, (1, 2)),
    (0, 1, 1, 2, (1, 1)),
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
    if not chunks.pixels:
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


def grid(png: bytes) -> tuple[int, int] | None:
    """How many columns and rows apart the pixels are that the compressed ones of a Source's `data`
    suffice for: 1, unless it is interlaced and the last passes are missing. None if they are no
    picture. Decoders leave missing pixels black."""
    chunks, found = _walk(png), None
    passes = _passes(chunks.header)
    there = _inflated_bytes(b"".join(chunks.pixels), sum(size for size, _ in passes))
    for size, apart in passes:
        there -= size
        if there < 0:
            break
        found = apart
    return found


def with_right_checksum(png: bytes) -> bytes:
    """The PNG with the checksum that its pixels should have, which browsers do not look at; nothing
    if they have no end, or more pixels than needed."""
    chunks = _walk(png)
    compressed = b"".join(chunks.pixels)
    most, size, checksum = sum(size for size, _ in _passes(chunks.header)), 0, 1
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for start in range(ZLIB_HEADER_BYTES, len(compressed), INFLATED_BYTES):
        piece = inflater.decompress(compressed[start : start + INFLATED_BYTES])
        size, checksum = size + len(piece), zlib.adler32(piece, checksum)
        if inflater.eof or size > most:
            break
    if not inflater.eof:
        return b""
    end = min(start + INFLATED_BYTES, len(compressed)) - len(inflater.unused_data)
    chunks.pixels = [compressed[:end] + struct.pack(">I", checksum)]
    return _without_metadata(chunks)


def _inflated_bytes(compressed: bytes, most: int) -> int:
    """The size of these bytes decompressed, as far as `most`."""
    inflater, size = zlib.decompressobj(), 0
    for start in range(0, len(compressed), INFLATED_BYTES):
        size += len(inflater.decompress(compressed[start : start + INFLATED_BYTES]))
        if size >= most or inflater.eof:
            break
    return size


def _passes(header: bytes) -> list[tuple[int, tuple[int, int]]]:
    """The size of each pass before it was compressed, with a byte for each row's filter; and how
    far apart the pixels are that are there after it."""
    width, height, depth, colour = struct.unpack_from(">IIBB", header)
    passes = []
    for column, row, across, down, apart in PASSES if header[INTERLACE] else (SINGLE_PASS,):
        columns, rows = -((column - width) // across), -((row - height) // down)
        row_bytes = 1 + -(-columns * depth * SAMPLES_PER_PIXEL[colour] // 8)
        passes.append((rows * row_bytes if columns > 0 else 0, apart))
    return passes


def _walk(data: bytes) -> _Chunks:
    chunks = _Chunks()
    position = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        checksum = data[position + 8 + length : position + 12 + length]
        if len(kind) < 4 or kind == b"IEND":
            return chunks
        is_right = len(checksum) == 4 and int.from_bytes(checksum, "big") == zlib.crc32(
            body, zlib.crc32(kind)
        )
        _take(chunks, kind, body, is_right=is_right, is_cut=len(checksum) < 4)
        position += length + 12
    raise ImageError("invalid_image")


def _take(chunks: _Chunks, kind: bytes, body: bytes, *, is_right: bool, is_cut: bool) -> None:
    _check_critical(chunks, kind, is_right=is_right)
    if kind == b"IDAT":
        # Browsers decode what is in one sequence, up to a piece that is damaged.
        chunks.is_past_pixels |= not is_right and not is_cut
        if not chunks.is_past_pixels:
            chunks.pixels.append(body)
        return
    chunks.is_past_pixels |= bool(chunks.pixels)
    if kind == b"fdAT":
        _take_frame(chunks, kind, body)
    elif not is_right:
        return
    elif kind == b"IHDR":
        chunks.header = chunks.header or body
    elif kind == b"fcTL":
        _take_frame(chunks, kind, body)
    elif not chunks.pixels:  # what comes later is too late: browsers have begun to show the picture
        _take_description(chunks, kind, body)


def _take_description(chunks: _Chunks, kind: bytes, body: bytes) -> None:
    if kind == b"PLTE":
        chunks.palette = body
    elif kind == b"tRNS":
        if chunks.palette or chunks.header[9] != PALETTE:
            chunks.transparency = body
    elif kind == b"cICP" and chunks.palette:
        return  # too late for this one
    elif len(body) == METADATA.get(kind) or kind in (b"eXIf", b"iCCP", b"acTL"):
        chunks.metadata.setdefault(kind, body)


def _check_critical(chunks: _Chunks, kind: bytes, *, is_right: bool) -> None:
    """Raise ImageError for a chunk without which the pixels cannot be understood, if it is damaged,
    not known, or in front of the header. Browsers have shown the picture before they come to an
    unknown one behind it."""
    is_critical = not kind[0] & 0x20
    if is_critical and not is_right and kind != b"IDAT":
        raise ImageError("invalid_image")
    if is_critical and kind not in CRITICAL and not chunks.pixels:
        raise ImageError("invalid_image")
    if len(chunks.header) != HEADER_BYTES and kind != b"IHDR":
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
    None if the picture is that frame, or there is no animation. Raises ImageError if the frame is
    nowhere, or does not fit."""
    is_animated = int.from_bytes(chunks.metadata.get(b"acTL", b"")[:4], "big") > 0
    if is_animated and not chunks.frames:
        raise ImageError
    if not is_animated or not chunks.frame_pixels or len(chunks.frame) != FRAME_BYTES:
        return None
    frame_width, frame_height, left, top = struct.unpack_from(">4I", chunks.frame, 4)
    if left + frame_width > width or top + frame_height > height:
        raise ImageError
    chunks.header = struct.pack(">II", frame_width, frame_height) + chunks.header[8:]
    chunks.pixels = chunks.frame_pixels
    return left, top


def _transparency(chunks: _Chunks) -> bytes:
    """The tRNS chunk for the decoder, which compares a transparent colour with samples of 8 bits;
    nothing if browsers ignore it."""
    depth, colour = chunks.header[8:10]
    body = chunks.transparency
    if colour == PALETTE:
        return body[: 1 << depth] if len(body) <= MAX_COLOURS else b""
    count = {GREY: 1, RGB: 3}.get(colour)
    if not count or len(body) < 2 * count:
        return b""
    samples = struct.unpack_from(f">{count}H", body)
    most = (1 << depth) - 1
    eight = [each >> 8 if depth == 16 else min(each & 255, most) * 255 // most for each in samples]
    return struct.pack(f">{count}H", *eight)


def _palette(chunks: _Chunks) -> bytes:
    """The PLTE chunk for the decoder. Browsers take the last colour for those that are missing."""
    colours = chunks.palette[: len(chunks.palette) // 3 * 3]
    if chunks.header[9] != PALETTE or not colours:
        return chunks.palette
    missing = (1 << chunks.header[8]) - len(colours) // 3
    return colours + colours[-3:] * missing


def _without_metadata(chunks: _Chunks) -> bytes:
    parts = [_chunk(b"IHDR", chunks.header)]
    if palette := _palette(chunks):
        parts.append(_chunk(b"PLTE", palette))
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
    elif profile := _profile(metadata.get(b"iCCP", b"")):
        source.icc = profile
    elif b"sRGB" not in metadata and b"gAMA" in metadata:
        source.gamma = int.from_bytes(metadata[b"gAMA"], "big") / 100_000 or None
        if b"cHRM" in metadata:
            source.chromaticities = tuple(
                each / 100_000 for each in struct.unpack(">8I", metadata[b"cHRM"])
            )


def _coding_points(chunk: bytes) -> CodingPoints | None:
    """Those of RGB samples in the full range; None for any others, which browsers ignore."""
    if chunk[2:] != b"\0\1":
        return None
    points = CodingPoints(chunk[0], chunk[1])
    return points if hdr.is_known(points) or profiles.is_known(points) else None


def _profile(chunk: bytes) -> bytes | None:
    """The profile of an iCCP chunk; None if it is damaged or larger than MAX_ICC_BYTES."""
    name, _, compressed = chunk.partition(b"\0")
    if not name or compressed[:1] != b"\0":
        return None
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(compressed[1:], MAX_ICC_BYTES)
    except zlib.error:
        return None
    return profile if inflater.eof and icc.is_sound(profile) else None
