"""HEIC and AVIF: boxes within boxes (ISO base media file format)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from classification.image_decoding import hdr
from classification.image_decoding.containers import heif_padding
from classification.image_decoding.containers.source import CodingPoints, Source
from classification.image_decoding.errors import ImageError
from classification.image_decoding.limits import MAX_PARTS

# Measured with photos of 10 bits per sample, on one core.
BYTES_PER_PIXEL = {"HEIF": 13, "AVIF": 14}
SECONDS_PER_PIXEL = {"HEIF": 60e-9, "AVIF": 40e-9}
# The transfer characteristics of pure exponents, and of sRGB.
OTHER_CURVES, SRGB = (4, 5, 8, 17), 13
TURNS = {b"irot", b"imir"}
MAX_ICC_BYTES = 4 * 1024 * 1024


class Box(NamedTuple):
    """A box: its four-letter type, and its content."""

    kind: bytes
    content: memoryview


@dataclass(slots=True)
class _Meta:
    """The file's metadata on its items; `associations` maps items to the numbers of their
    properties, counted from 1, `extents` to where their bytes begin and end, and `tiles` those that
    are put together to the items that they consist of."""

    primary: int = 0
    extents: dict[int, list[heif_padding.Extent]] = field(default_factory=dict)
    tiles: dict[int, list[int]] = field(default_factory=dict)
    properties: list[Box] = field(default_factory=list)
    associations: dict[int, list[int]] = field(default_factory=dict)
    steps: int = MAX_PARTS

    def boxes(self, content: memoryview) -> Iterator[Box]:
        """The boxes in the content of another. Raises ImageError after MAX_PARTS steps in a
        file."""
        position = 0
        while position + 8 <= len(content):
            self.step()
            length, kind = struct.unpack_from(">I4s", content, position)
            header = 8
            if length == 1:
                (length,) = struct.unpack_from(">Q", content, position + 8)
                header = 16
            end = position + length if length else len(content)
            if end < position + header:
                raise ImageError
            yield Box(kind, content[position + header : end])
            position = end

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise ImageError

    def of_primary(self) -> list[Box]:
        """The properties of the primary picture."""
        numbers = self.associations.get(self.primary, [])
        return [self.properties[n - 1] for n in numbers if 0 < n <= len(self.properties)]


def read(data: bytes, image_format: str) -> Source:
    """The primary picture of a file. Raises ImageError when there is none, or too many boxes.

    `orientation` stays 1: the decoders rotate as the boxes say, and without such boxes EXIF counts,
    which is read when decoding.
    """
    meta = _Meta()
    try:
        for box in meta.boxes(memoryview(data)):
            if box.kind == b"meta":
                _read_meta(meta, box.content[4:])
    except (struct.error, IndexError) as error:
        raise ImageError from error
    properties = meta.of_primary()
    sizes = [box.content for box in properties if box.kind == b"ispe"]
    if not sizes or len(sizes[0]) < 12:
        raise ImageError
    width, height = struct.unpack_from(">II", sizes[0], 4)
    pixels = width * height
    with_other_padding = _check_padding(meta, data, image_format)
    source = Source(
        image_format,
        data,
        width,
        height,
        memory=pixels * BYTES_PER_PIXEL[image_format],
        seconds=pixels * SECONDS_PER_PIXEL[image_format] * (2 if with_other_padding else 1),
        is_turned=any(box.kind in TURNS for box in properties),
        with_other_padding=with_other_padding,
    )
    if image_format == "AVIF":
        apertures = [box.content for box in properties if box.kind == b"clap"]
        source.clean_size = _clean_size(apertures[0], width, height) if apertures else None
    _read_colour(source, [bytes(box.content) for box in properties if box.kind == b"colr"])
    return source


def _clean_size(aperture: memoryview, width: int, height: int) -> tuple[int, int] | None:
    """The size of a clean aperture of whole pixels that begins at the top left corner; browsers
    ignore any other. Its centre is given from that of the picture."""
    if len(aperture) < 32:
        return None
    numbers = struct.unpack_from(">IIIIiIiI", aperture)
    if not all(numbers[1::2]):
        return None
    columns, rows, right, down = map(Fraction, numbers[::2], numbers[1::2])
    is_anchored = 2 * right == columns - width and 2 * down == rows - height
    is_whole = columns.denominator == rows.denominator == 1
    if not is_anchored or not is_whole or not 0 < columns <= width or not 0 < rows <= height:
        return None
    return int(columns), int(rows)


def _read_meta(meta: _Meta, content: memoryview) -> None:
    for box in meta.boxes(content):
        if box.kind == b"pitm":
            width = 2 if box.content[0] == 0 else 4
            meta.primary = int.from_bytes(box.content[4 : 4 + width], "big")
        elif box.kind == b"iloc":
            _read_extents(meta, box.content)
        elif box.kind == b"iref":
            _read_tiles(meta, box.content)
        elif box.kind == b"iprp":
            for inner in meta.boxes(box.content):
                if inner.kind == b"ipco":
                    meta.properties = list(meta.boxes(inner.content))
                elif inner.kind == b"ipma":
                    _read_associations(meta, inner.content)


def _read_associations(meta: _Meta, content: memoryview) -> None:
    """Read which item has which properties: numbers of one or two bytes, without the highest
    bit."""
    version, is_wide = content[0], content[3] & 1
    item, number = ("H" if version == 0 else "I"), ("H" if is_wide else "B")
    mask = 0x7FFF if is_wide else 0x7F
    (entries,) = struct.unpack_from(">I", content, 4)
    position = 8
    for _ in range(entries):
        meta.step()
        item_id, count = struct.unpack_from(f">{item}B", content, position)
        position += struct.calcsize(f">{item}B")
        numbers = struct.unpack_from(f">{count}{number}", content, position)
        position += struct.calcsize(f">{count}{number}")
        meta.associations.setdefault(item_id, []).extend(n & mask for n in numbers)


def _read_extents(meta: _Meta, content: memoryview) -> None:
    """Read where the items lie that are in the file as a whole, in one piece or several."""
    version = content[0]
    sizes = (content[4] >> 4, content[4] & 15, content[5] >> 4, content[5] & 15 if version else 0)
    offset_bytes, length_bytes, base_bytes, index_bytes = sizes
    position = 6

    def number(size: int) -> int:
        nonlocal position
        if position + size > len(content):
            raise ImageError
        position += size
        return int.from_bytes(content[position - size : position], "big")

    wide = 4 if version == 2 else 2
    for _ in range(number(wide)):
        meta.step()
        item = number(wide)
        is_elsewhere = version and number(2) & 15 != 0
        number(2)  # which file: this one
        base, extents = number(base_bytes), []
        for _ in range(number(2)):
            meta.step()
            number(index_bytes)
            start = base + number(offset_bytes)
            if length := number(length_bytes):
                extents.append((start, start + length))
        if not is_elsewhere:
            meta.extents.setdefault(item, extents)


def _read_tiles(meta: _Meta, content: memoryview) -> None:
    item = "H" if content[0] == 0 else "I"
    for box in meta.boxes(content[4:]):
        if box.kind == b"dimg":
            whole, count = struct.unpack_from(f">{item}H", box.content)
            start = struct.calcsize(f">{item}H")
            tiles = struct.unpack_from(f">{count}{item}", box.content, start)
            meta.tiles.setdefault(whole, []).extend(tiles)


def _check_padding(meta: _Meta, data: bytes, image_format: str) -> bytes:
    """See `heif_padding.av1_with_other_padding`. Raises ImageError if an HEVC picture is cut."""
    items = meta.tiles.get(meta.primary, [meta.primary])
    # Tiles that look the same may share their bytes.
    pictures = {tuple(meta.extents[item]) for item in items if meta.extents.get(item)}
    places = {extent for pieces in pictures for extent in pieces}
    if sum(end - start for start, end in places) > len(data):
        raise ImageError
    if image_format == "AVIF":
        last = {pieces[-1] for pieces in pictures}
        return heif_padding.av1_with_other_padding(data, sorted(last))
    heif_padding.check_hevc(data, pictures)
    return b""


def _read_colour(source: Source, colours: list[bytes]) -> None:
    """Read both the profile and the coding points."""
    for colour in colours:
        if colour[:4] in (b"prof", b"rICC") and len(colour) <= MAX_ICC_BYTES:
            source.icc = colour[4:]
        elif colour[:4] == b"nclx" and len(colour) >= 8:
            primaries, transfer = struct.unpack_from(">HH", colour, 4)
            # Browsers take all curves for sRGB's that are like it.
            is_like_srgb = transfer not in (*OTHER_CURVES, *hdr.TRANSFERS)
            source.coding_points = CodingPoints(primaries, SRGB if is_like_srgb else transfer)
