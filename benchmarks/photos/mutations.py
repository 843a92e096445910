"""Photos that are mutated as their formats are built: segments, chunks and boxes are repeated,
cut short, moved, left out, told another length, and their bytes changed."""

import random
import struct
from collections.abc import Callable, Iterator

Parts = list[bytes]
MOST_REPEATS = 2000
MOST_BYTES = 2 * 1024 * 1024


def parts_of(data: bytes) -> Parts:
    """The file in the pieces that its format is made of."""
    if data.startswith(b"\xff\xd8"):
        return list(_jpeg(data))
    if data.startswith(b"\x89PNG"):
        return [data[:8], *_sized(data, 8, ">I4x", extra=12)]
    if data.startswith(b"RIFF"):
        return [data[:12], *_sized(data, 12, "<4xI", extra=8)]
    if data.startswith(b"GIF"):
        return [data[i : i + 64] for i in range(0, len(data), 64)]
    return list(_boxes(data))


def _jpeg(data: bytes) -> Iterator[bytes]:
    position = 0
    while 0 <= position < len(data):
        following = data.find(b"\xff", position + 2)
        while 0 <= following < len(data) - 1 and data[following + 1] in (0, 0xFF):
            following = data.find(b"\xff", following + 1)
        yield data[position : following if following > 0 else len(data)]
        position = following


def _sized(data: bytes, position: int, layout: str, extra: int) -> Iterator[bytes]:
    while position + 8 <= len(data):
        (length,) = struct.unpack_from(layout, data, position)
        end = position + length + extra + (length % 2 if layout[0] == "<" else 0)
        yield data[position:end]
        position = end


def _boxes(data: bytes) -> Iterator[bytes]:
    """The outermost boxes, and those within `meta` by themselves."""
    for box in _sized(data, 0, ">I", extra=0):
        if box[4:8] == b"meta":
            yield box[:12]
            yield from _sized(box, 12, ">I", extra=0)
        else:
            yield box


def mutate(data: bytes, source: random.Random) -> bytes:
    """The file with one to four mutations."""
    parts = parts_of(data)
    for _ in range(source.randint(1, 4)):
        source.choice(MUTATIONS)(parts, source)
        if not parts:
            return b""
    return b"".join(parts)[:MOST_BYTES]


def _repeat(parts: Parts, source: random.Random) -> None:
    at = source.randrange(len(parts))
    times = int(MOST_REPEATS ** source.random())
    parts[at:at] = [parts[at]] * min(times, MOST_BYTES // max(len(parts[at]), 1) + 1)


def _cut(parts: Parts, source: random.Random) -> None:
    at = source.randrange(len(parts))
    parts[at] = parts[at][: source.randrange(len(parts[at]) + 1)]


def _end(parts: Parts, source: random.Random) -> None:
    _cut(parts, source)
    del parts[source.randrange(len(parts)) + 1 :]


def _move(parts: Parts, source: random.Random) -> None:
    part = parts.pop(source.randrange(len(parts)))
    parts.insert(source.randrange(len(parts) + 1), part)


def _drop(parts: Parts, source: random.Random) -> None:
    del parts[source.randrange(len(parts))]


def _lie(parts: Parts, source: random.Random) -> None:
    """Another number where a length, a size or a count stands."""
    at = source.randrange(len(parts))
    part = bytearray(parts[at])
    if len(part) > 4:
        place = source.randrange(min(len(part) - 4, 64))
        value = source.choice([0, 1, 2, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF])
        width = source.choice("BHI")
        limit = (1 << 8 * struct.calcsize(width)) - 1
        struct.pack_into(source.choice("<>") + width, part, place, value & limit)
        parts[at] = bytes(part)


def _spoil(parts: Parts, source: random.Random) -> None:
    at = source.randrange(len(parts))
    part = bytearray(parts[at])
    for _ in range(source.randint(1, 20)):
        if part:
            part[source.randrange(len(part))] = source.randrange(256)
    parts[at] = bytes(part)


MUTATIONS: list[Callable[[Parts, random.Random], None]] = [
    _repeat, _cut, _end, _move, _drop, _lie, _spoil,
]  # fmt: skip
