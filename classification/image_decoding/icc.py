"""Tells ICC profiles that browsers use from those that they ignore."""

import struct

HEADER_BYTES, ENTRY_BYTES, MIN_TAG_BYTES = 132, 12, 4
MAX_MAJOR_VERSION = 4
MAX_TAGS = 100
SIGNATURE, CONNECTION_SPACES = b"acsp", (b"XYZ ", b"Lab ")
D50, D50_TOLERANCE = (0.9642, 1.0, 0.8249), 0.01


def is_sound(profile: bytes) -> bool:
    """Whether the header makes sense, and every tag lies within the profile."""
    if len(profile) < HEADER_BYTES:
        return False
    size, tags = (int.from_bytes(profile[at : at + 4], "big") for at in (0, 128))
    table_end = HEADER_BYTES + tags * ENTRY_BYTES
    if size > len(profile) or tags > MAX_TAGS or table_end > size or not _is_known(profile):
        return False
    places = (
        struct.unpack_from(">4xII", profile, HEADER_BYTES + number * ENTRY_BYTES)
        for number in range(tags)
    )
    return all(
        start >= table_end and length >= MIN_TAG_BYTES and start + length <= size
        for start, length in places
    )


def _is_known(profile: bytes) -> bool:
    illuminant = struct.unpack_from(">3i", profile, 68)
    return (
        profile[36:40] == SIGNATURE
        and profile[8] <= MAX_MAJOR_VERSION
        and profile[20:24] in CONNECTION_SPACES
        and all(abs(a / 65536 - b) <= D50_TOLERANCE for a, b in zip(illuminant, D50, strict=True))
    )
