"""WebP: a RIFF file of chunks, of which only those of the first picture are kept."""

import struct
from collections.abc import Iterator

from classification.image_decoding import exif
from classification.image_decoding.containers.source import Source
from classification.image_decoding.errors import ImageError
from classification.image_decoding.limits import MAX_PARTS

HEADER_BYTES = 12
LOSSY, LOSSLESS, EXTENDED, FRAME, ALPHA = b"VP8 ", b"VP8L", b"VP8X", b"ANMF", b"ALPH"
FRAME_HEADER_BYTES = 16
# In the first byte of VP8X.
HAS_PROFILE, HAS_ALPHA, IS_ANIMATED = 0x20, 0x10, 0x02
# The decoder holds two canvases, and what it gives is copied; lossless ones are unpacked first.
LOSSY_BYTES_PER_PIXEL, LOSSLESS_BYTES_PER_PIXEL = 16, 17
SECONDS_PER_PIXEL = 35e-9

Chunk = tuple[bytes, bytes]


def read(data: bytes) -> Source:
    """The first picture of a file. Raises ImageError when there is none, or too many parts."""
    chunks = list(_chunks(data, HEADER_BYTES))
    metadata = {kind: body for kind, body in reversed(chunks) if kind in (b"ICCP", b"EXIF")}
    extended = next((body for kind, body in chunks if kind == EXTENDED), b"")
    picture = _picture(chunks)
    if extended:
        if len(extended) < 10:
            raise ImageError
        width, height = (int.from_bytes(extended[at : at + 3], "little") + 1 for at in (4, 7))
    else:
        width, height = _stored_size(*picture[0])
    is_lossless = any(kind == LOSSLESS for kind, _ in picture)
    pixels = width * height
    facts = exif.read(metadata.get(b"EXIF", b""))
    # Browsers ignore a profile that is not announced, and that of an animation.
    has_profile = extended[:1] and extended[0] & HAS_PROFILE and picture[0][0] != FRAME
    return Source(
        "WEBP",
        _file(picture, extended),
        width,
        height,
        memory=pixels * (LOSSLESS_BYTES_PER_PIXEL if is_lossless else LOSSY_BYTES_PER_PIXEL),
        seconds=pixels * SECONDS_PER_PIXEL,
        # EXIF turns no WebP: browsers show it as it is stored.
        has_camera_data=facts.has_camera_data,
        icc=metadata.get(b"ICCP") if has_profile else None,
    )


def _chunks(data: bytes, position: int) -> Iterator[Chunk]:
    for _ in range(MAX_PARTS):
        if position + 8 > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, position)
        yield kind, data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2
    raise ImageError


def _picture(chunks: list[Chunk]) -> list[Chunk]:
    """The chunks that hold the first picture, as they stand or within the first frame."""
    for kind, body in chunks:
        if kind == FRAME:
            # Its place on the canvas, then chunks of its own.
            inner = [chunk for chunk in _chunks(body, FRAME_HEADER_BYTES) if _is_pixels(chunk)]
            return [(FRAME, body[:FRAME_HEADER_BYTES] + b"".join(map(_chunk, inner)))]
    picture = [chunk for chunk in chunks if _is_pixels(chunk)]
    if not picture or picture[-1][0] == ALPHA:
        raise ImageError
    return picture


def _is_pixels(chunk: Chunk) -> bool:
    return chunk[0] in (LOSSY, LOSSLESS, ALPHA)


def _stored_size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == LOSSY and body[3:6] == b"\x9d\x01\x2a" and len(body) >= 10:
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == LOSSLESS and body[:1] == b"\x2f" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise ImageError


def _file(picture: list[Chunk], extended: bytes) -> bytes:
    chunks = picture
    if extended:
        flags = extended[0] & (HAS_ALPHA | IS_ANIMATED)
        if picture[0][0] == FRAME:
            # What the frame leaves free of the canvas is transparent, whatever the file says.
            flags |= HAS_ALPHA
        chunks = [(EXTENDED, bytes([flags]) + extended[1:10]), *picture]
    if chunks[-1][0] == FRAME:
        chunks.insert(1, (b"ANIM", bytes(6)))
    body = b"WEBP" + b"".join(map(_chunk, chunks))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(chunk: Chunk) -> bytes:
    kind, body = chunk
    return struct.pack("<4sI", kind, len(body)) + body + bytes(len(body) % 2)
