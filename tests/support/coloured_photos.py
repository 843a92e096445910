"""Pictures of one colour that say in different ways how it is meant, and how Chromium shows it."""

import struct
import zlib
from functools import cache

from PIL import Image

from tests.support.odd_photos import (
    chunk,
    linear_profile,
    png_with,
    save,
    wide_profile,
    with_coding_points,
)

Colour = tuple[int, int, int]

STORED: Colour = (200, 100, 50)
SIZE = (64, 64)
SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
# On another white than the others.
P3_D50 = (34567, 35850, 68000, 32000, 26500, 69000, 15000, 6000)
NONE = (0,) * 8


def _png(*chunks: bytes) -> bytes:
    return png_with(*chunks, data=save(Image.new("RGB", SIZE, STORED), "PNG"))


def _avif(primaries: int, transfer: int, profile: bytes | None = None) -> bytes:
    options = {"icc_profile": profile} if profile else {}
    data = save(Image.new("RGB", SIZE, STORED), "AVIF", **options)
    return with_coding_points(data, primaries, transfer)


def _gamma(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


def _primaries(values: tuple[int, ...]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *values))


def _numbers(primaries: int, transfer: int, is_full: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, 0, is_full]))


def _profile(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"p\0\0" + zlib.compress(profile))


@cache
def all_of_them() -> dict[str, tuple[bytes, Colour]]:
    """By name: the file, and its colour in sRGB."""
    srgb = chunk(b"sRGB", b"\0")
    return {
        "PNG primaries alone": (_png(_primaries(P3)), STORED),
        "PNG primaries and gamma": (_png(_gamma(45455), _primaries(P3)), (216, 93, 24)),
        "PNG primaries of D50": (_png(_gamma(45455), _primaries(P3_D50)), (222, 93, 24)),
        "PNG primaries in front": (_png(_primaries(P3), _gamma(100_000)), (240, 165, 114)),
        "PNG primaries and sRGB": (_png(_gamma(45455), _primaries(P3), srgb), STORED),
        "PNG primaries of sRGB": (_png(_gamma(100_000), _primaries(SRGB)), (229, 168, 122)),
        "PNG primaries of nothing": (_png(_gamma(45455), _primaries(NONE)), STORED),
        "PNG gamma": (_png(_gamma(100_000)), (229, 168, 122)),
        "PNG Rec. 709": (_png(_numbers(12, 1)), (212, 83, 9)),
        "PNG gamma 2.2": (_png(_numbers(12, 4)), (216, 93, 24)),
        "PNG SMPTE 240M": (_png(_numbers(12, 7)), (221, 109, 55)),
        "PNG linear": (_png(_numbers(12, 8)), (240, 165, 114)),
        "PNG BT.2020": (_png(_numbers(9, 13)), (241, 76, 29)),
        "PNG cinema": (_png(_numbers(11, 13)), (211, 93, 32)),
        "PNG NTSC": (_png(_numbers(4, 13)), (232, 93, 30)),
        "PNG of an unknown curve": (_png(_numbers(12, 2)), STORED),
        "PNG of the narrow range": (_png(_numbers(12, 13, 0)), STORED),
        "PNG numbers and profile": (
            _png(_numbers(12, 13), _profile(linear_profile())),
            (215, 93, 31),
        ),
        "PNG unknown numbers and profile": (
            _png(_numbers(2, 2), _profile(wide_profile())),
            (215, 93, 31),
        ),
        "PNG unknown numbers and gamma": (
            _png(_numbers(2, 13), _gamma(100_000)),
            (229, 168, 122),
        ),
        "PNG XYZ": (_png(_numbers(10, 13)), (255, 0, 61)),
        "PNG cinema curve": (_png(_numbers(9, 17)), (244, 53, 0)),
        "PNG PQ of unknown primaries": (_png(_numbers(2, 16)), STORED),
        "PNG unsound profile and gamma": (
            _png(_profile(wide_profile()[:-1]), _gamma(100_000)),
            (229, 168, 122),
        ),
        "PNG short gamma and gamma": (
            _png(chunk(b"gAMA", b"\0\1"), _gamma(100_000)),
            (229, 168, 122),
        ),
        "PNG long sRGB and gamma": (
            _png(chunk(b"sRGB", b"\0\0"), _gamma(100_000)),
            (229, 168, 122),
        ),
        "AVIF cinema curve": (_avif(1, 17), (200, 87, 34)),
        "AVIF BT.2020": (_avif(9, 13), (241, 76, 29)),
        "AVIF PAL": (_avif(5, 13), (203, 100, 51)),
        "AVIF Rec. 709": (_avif(12, 1), (215, 93, 31)),
        "AVIF gamma 2.8": (_avif(12, 5), (204, 66, 0)),
        "AVIF linear": (_avif(12, 8), (240, 165, 114)),
        "AVIF profile and PQ": (_avif(9, 16, wide_profile()), (215, 93, 31)),
        "AVIF profile and HLG": (_avif(9, 18, linear_profile()), (229, 168, 122)),
        "AVIF profile and P3": (_avif(12, 13, linear_profile()), (229, 168, 122)),
    }
