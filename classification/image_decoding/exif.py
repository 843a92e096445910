"""Reads two facts from EXIF: the orientation, and whether a camera took the picture.

Metadata is optional: malformed EXIF counts as missing.
"""

import struct
from typing import NamedTuple

ORIENTATION, MAKE, MODEL = 0x0112, 0x010F, 0x0110
SHORT = 3
ENTRY_BYTES = 12
MAX_ENTRIES = 1000


class CameraFacts(NamedTuple):
    """`orientation` is EXIF's, 1 to 8."""

    orientation: int = 1
    has_camera_data: bool = False


def read(exif: bytes) -> CameraFacts:
    """The facts in an EXIF block, with or without the prefix `Exif` and two zero bytes."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return CameraFacts()
    try:
        return _first_directory(tiff, order)
    except struct.error:  # truncated
        return CameraFacts()


def _first_directory(tiff: bytes, order: str) -> CameraFacts:
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    orientation, has_camera_data = 0, False
    for number in range(min(count, MAX_ENTRIES)):
        position = start + 2 + number * ENTRY_BYTES
        if position + ENTRY_BYTES > len(tiff):
            break
        tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, position)
        # Like browsers, ignores an orientation that is not a single number, and a second one.
        if tag == ORIENTATION and kind == SHORT and values == 1 and 1 <= value <= 8:
            orientation = orientation or value
        has_camera_data = has_camera_data or tag in (MAKE, MODEL)
    return CameraFacts(orientation or 1, has_camera_data)
