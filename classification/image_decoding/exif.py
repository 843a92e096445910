"""Reads two facts from EXIF: the orientation, and whether a camera took the picture.

Metadata is optional: malformed EXIF counts as missing.
"""

import struct
from typing import NamedTuple

# Some containers put it in front of the block.
PREFIX = b"Exif\0\0"
ORIENTATION, MAKE, MODEL, SETTINGS = 0x0112, 0x010F, 0x0110, 0x8769
SHORT, LONG = 3, 4
ENTRY_BYTES = 12
# A segment of a JPEG has room for no more.
MAX_ENTRIES = 6000


class CameraFacts(NamedTuple):
    """`orientation` is EXIF's, 1 to 8."""

    orientation: int = 1
    has_camera_data: bool = False


class _Entry(NamedTuple):
    """`short` and `long` are its value, or where that lies."""

    tag: int
    kind: int
    values: int
    short: int
    long: int

    @property
    def orientation(self) -> int | None:
        """Like browsers, ignores one that is not a single number."""
        is_single = self.tag == ORIENTATION and self.kind == SHORT and self.values == 1
        return self.short if is_single and 1 <= self.short <= 8 else None


def read(tiff: bytes) -> CameraFacts:
    """The facts in an EXIF block, which begins with its byte order."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return CameraFacts()
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    entries = _directory(tiff, order, start)
    # Browsers find an orientation among the camera's settings, too.
    for number, entry in enumerate(entries):
        if entry.tag == SETTINGS and entry.kind == LONG:
            entries[number:number] = _directory(tiff, order, entry.long)
            break
    # Like browsers, ignores a second orientation.
    orientation = next(filter(None, (entry.orientation for entry in entries)), 1)
    return CameraFacts(orientation, any(entry.tag in (MAKE, MODEL) for entry in entries))


def _directory(tiff: bytes, order: str, start: int) -> list[_Entry]:
    """The entries of the directory that starts there, as many as there are."""
    if start + 2 > len(tiff):
        return []
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    places = range(start + 2, len(tiff) - ENTRY_BYTES + 1, ENTRY_BYTES)
    return [
        _Entry(
            *struct.unpack_from(f"{order}HHIH", tiff, place),
            *struct.unpack_from(f"{order}I", tiff, place + 8),
        )
        for place in places[: min(count, MAX_ENTRIES)]
    ]
