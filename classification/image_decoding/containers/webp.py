"""WebP: a RIFF file of chunks, of which only those of the first picture are kept."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from classification.image_decoding import exif
from classification.image_decoding.containers.source import Source
from classification.image_decoding.errors import ImageError
from classification.image_decoding.limits import MAX_PARTS

HEADER_BYTES = 12
LOSSY, LOSSLESS, EXTENDED, FRAME, ALPHA = b"VP8 ", b"VP8L", b"VP8X", b"ANMF", b"ALPH"
PIXELS = (LOSSY, LOSSLESS, ALPHA)
FRAME_HEADER_BYTES = 16
# In the first byte of VP8X.
HAS_PROFILE, HAS_ALPHA, IS_ANIMATED = 0x20, 0x10, 0x02
# The decoder holds two canvases, and what it gives is copied; lossless ones are unpacked first.
LOSSY_BYTES_PER_PIXEL, LOSSLESS_BYTES_PER_PIXEL = 16, 17
SECONDS_PER_PIXEL = 35e-9
# So many zeros at the end of a picture are those of a flat area, or of a download that stopped.
MIN_PADDING, REMOVED_PADDING, KEPT_PADDING = 16, 8, 4

Chunk = tuple[bytes, bytes]


class _Picture(NamedTuple):
    """`frame` is the header of an animation's frame; empty for a still picture."""

    frame: bytes
    chunks: list[Chunk]


def read(data: bytes) -> Source:
    """The first picture of a file. Raises ImageError when there is none, or too many parts."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise ImageError  # browsers show nothing of it
    chunks = list(_chunks(data[:end], HEADER_BYTES))
    metadata = {kind: body for kind, body in reversed(chunks) if kind in (b"ICCP", b"EXIF")}
    extended = next((body for kind, body in chunks if kind == EXTENDED), b"")
    picture = _picture(chunks)
    if extended:
        if len(extended) < 10:
            raise ImageError
        width, height = (int.from_bytes(extended[at : at + 3], "little") + 1 for at in (4, 7))
    else:
        width, height = _stored_size(*picture.chunks[0])
    is_lossless = any(kind == LOSSLESS for kind, _ in picture.chunks)
    pixels = width * height
    with_less_padding = _with_less_padding(picture, extended)
    facts = exif.read(metadata.get(b"EXIF", b"").removeprefix(exif.PREFIX))
    # Browsers ignore a profile that is not announced, and that of an animation.
    has_profile = extended[:1] and extended[0] & HAS_PROFILE and not picture.frame
    return Source(
        "WEBP",
        _file(picture, extended),
        width,
        height,
        memory=pixels * (LOSSLESS_BYTES_PER_PIXEL if is_lossless else LOSSY_BYTES_PER_PIXEL),
        seconds=pixels * SECONDS_PER_PIXEL * (1 + len(with_less_padding)),
        # EXIF turns no WebP: browsers show it as it is stored.
        has_camera_data=facts.has_camera_data,
        icc=metadata.get(b"ICCP") if has_profile else None,
        with_less_padding=with_less_padding,
    )


def _chunks(data: bytes, position: int) -> Iterator[Chunk]:
    for _ in range(MAX_PARTS):
        if position + 8 > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + length]
        if len(body) < length:
            raise ImageError
        yield kind, body
        position += 8 + length + length % 2
    raise ImageError


def _picture(chunks: list[Chunk]) -> _Picture:
    """The first picture, as it stands or within the first frame."""
    frame = b""
    for kind, body in chunks:
        if kind == FRAME:
            # Its place on the canvas, then chunks of its own.
            frame, chunks = body[:FRAME_HEADER_BYTES], list(_chunks(body, FRAME_HEADER_BYTES))
            break
    pixels = [chunk for chunk in chunks if chunk[0] in PIXELS]
    if not pixels or pixels[-1][0] == ALPHA:
        raise ImageError
    return _Picture(frame, pixels)


def _stored_size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == LOSSY and body[3:6] == b"\x9d\x01\x2a" and len(body) >= 10:
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == LOSSLESS and body[:1] == b"\x2f" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise ImageError


def _with_less_padding(picture: _Picture, extended: bytes) -> tuple[bytes, ...]:
    """The file with fewer zeros at its end: without a few, and with only a few."""
    *others, (kind, body) = picture.chunks
    if not body.endswith(bytes(MIN_PADDING)):
        return ()
    shorter = (body[:-REMOVED_PADDING], body.rstrip(b"\0") + bytes(KEPT_PADDING))
    return tuple(
        _file(_Picture(picture.frame, [*others, (kind, each)]), extended) for each in shorter
    )


def _file(picture: _Picture, extended: bytes) -> bytes:
    pixels = b"".join(map(_chunk, picture.chunks))
    if picture.frame:
        pixels = _chunk((b"ANIM", bytes(6))) + _chunk((FRAME, picture.frame + pixels))
    if extended:
        flags = extended[0] & (HAS_ALPHA | IS_ANIMATED)
        if picture.frame:
            # What the frame leaves free of the canvas is transparent, whatever the file says.
            flags |= HAS_ALPHA
        pixels = _chunk((EXTENDED, bytes([flags]) + extended[1:10])) + pixels
    body = b"WEBP" + pixels
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(chunk: Chunk) -> bytes:
    kind, body = chunk
    return struct.pack("<4sI", kind, len(body)) + body + bytes(len(body) % 2)
