"""GIF: a sequence of blocks, of which only those of the first picture are kept."""

import struct

from classification.image_decoding.containers.source import Source
from classification.image_decoding.errors import ImageError
from classification.image_decoding.limits import MAX_PARTS

HEADER_BYTES, DESCRIPTOR_BYTES = 13, 10
EXTENSION, IMAGE, TRAILER = b"!", b",", b";"
GRAPHIC_CONTROL = 0xF9
SECONDS_PER_PIXEL = 12e-9
BYTES_PER_PIXEL = 9
# Blocks are cut into pieces of 255 bytes at most; a picture of 100 MB has this many.
MAX_PIECES = 500_000


def read(data: bytes) -> Source:
    """The first picture of a file. Raises ImageError when there is none, or too many parts."""
    if len(data) < HEADER_BYTES:
        raise ImageError
    position = HEADER_BYTES + _table_bytes(data[10])
    head, control, pieces = data[:position], b"", 0
    for _ in range(MAX_PARTS):
        kind = data[position : position + 1]
        if kind == IMAGE and len(data) > position + DESCRIPTOR_BYTES:
            return _source(data, head + control, position)
        if kind != EXTENSION or len(data) < position + 2:
            break
        end, count = _pieces_end(data, position + 2, MAX_PIECES - pieces)
        pieces += count
        if data[position + 1] == GRAPHIC_CONTROL:
            control = data[position:end]
        position = end
    raise ImageError


def _table_bytes(flags: int) -> int:
    """The length in bytes of the colour table that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _pieces_end(data: bytes, position: int, limit: int) -> tuple[int, int]:
    """The end of a sequence of sub-blocks, and how many there are."""
    for count in range(limit):
        length = data[position] if position < len(data) else 0
        position += 1 + length
        if not length:
            return min(position, len(data)), count
    raise ImageError


def _source(data: bytes, head: bytes, position: int) -> Source:
    left, top, width, height, flags = struct.unpack_from("<HHHHB", data, position + 1)
    screen_width, screen_height = struct.unpack_from("<HH", data, 6)
    # A picture may be larger than its screen, which then grows.
    width, height = max(screen_width, left + width), max(screen_height, top + height)
    # A file with this picture alone; the decoder places it on the screen.
    alone = head[:6] + data[position + 5 : position + 9] + head[10:]
    descriptor = IMAGE + bytes(4) + data[position + 5 : position + DESCRIPTOR_BYTES]
    compressed = position + DESCRIPTOR_BYTES + _table_bytes(flags) + 1
    end, _ = _pieces_end(data, compressed, MAX_PIECES)
    pixels = width * height
    return Source(
        "GIF",
        alone + descriptor + data[position + DESCRIPTOR_BYTES : end] + TRAILER,
        width,
        height,
        memory=pixels * BYTES_PER_PIXEL,
        seconds=pixels * SECONDS_PER_PIXEL,
        place=(left, top),
    )
