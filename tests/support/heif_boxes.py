"""Write HEIC and AVIF files box by box."""

import struct

Property = tuple[bytes, bytes]


def box(kind: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I4s", len(content) + 8, kind) + content


def full(kind: bytes, *contents: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *contents)


def content_of(data: bytes, kind: bytes) -> bytes:
    """The content of the first box of this kind, wherever it lies."""
    at = data.index(kind)
    (length,) = struct.unpack_from(">I", data, at - 4)
    return data[at + 4 : at - 4 + length]


def grid(tiles: list[bytes], size: tuple[int, int], *more: bytes) -> bytes:
    """A row of pictures of one size, each the only one of its file, as one picture, as phones write
    large ones; `more` are properties of the whole."""
    is_heic = b"hvcC" in tiles[0]
    config, kind, brand = (b"hvcC", b"hvc1", b"heic") if is_heic else (b"av1C", b"av01", b"avif")
    bodies = [struct.pack(">4B2H", 0, 0, 0, len(tiles) - 1, size[0] * len(tiles), size[1])]
    bodies += [content_of(tile, b"mdat") for tile in tiles]
    numbers = range(1, len(bodies) + 1)
    kinds = [b"grid"] + [kind] * len(tiles)
    names = b"".join(
        full(b"infe", struct.pack(">HH4sx", number, 0, each), version=2)
        for number, each in zip(numbers, kinds, strict=True)
    )
    properties = (
        box(config, content_of(tiles[0], config)),
        full(b"ispe", struct.pack(">II", *size)),
        full(b"ispe", struct.pack(">II", size[0] * len(tiles), size[1])),
        full(b"pixi", b"\3\x08\x08\x08"),
        box(b"colr", content_of(tiles[0], b"colr")),
        *more,
    )
    extra = bytes(0x86 + number for number in range(len(more)))
    tile, whole = b"\4\x81\2\4\5", bytes([3 + len(extra)]) + b"\3\4\5" + extra
    uses = b"".join(struct.pack(">H", n) + (tile if n > 1 else whole) for n in numbers)

    def meta(start: int) -> bytes:
        places, at = b"", start
        for number, body in zip(numbers, bodies, strict=True):
            places += struct.pack(">HHHII", number, 0, 1, at, len(body))
            at += len(body)
        parts = struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *numbers[1:])
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", struct.pack(">H", 1)),
            full(b"iloc", b"\x44\0", struct.pack(">H", len(bodies)), places),
            full(b"iinf", struct.pack(">H", len(bodies)), names),
            full(b"iref", box(b"dimg", parts)),
            box(
                b"iprp",
                box(b"ipco", *properties),
                full(b"ipma", struct.pack(">I", len(bodies)), uses),
            ),
        )

    head = box(b"ftyp", brand, bytes(4), brand, b"mif1", b"miaf")
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", *bodies)
