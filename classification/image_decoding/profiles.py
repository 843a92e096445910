"""Writes ICC profiles for colours that files describe in numbers: primaries and a curve."""

import functools
import struct

from classification.image_decoding.containers.source import Chromaticities, CodingPoints

BT709, SRGB = 1, 13
# By the coding points of ITU-T H.273: the x and y of white, red, green and blue.
_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
_PRIMARIES: dict[int, Chromaticities] = {
    BT709: (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (1 / 3, 1 / 3, 1, 0, 0, 1, 0, 0),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
# The numbers of an ICC parametric curve: an exponent alone, with a factor, or with a line near
# black.
_CURVES: dict[int, tuple[float, ...]] = {
    # Television, as its screens show it.
    **dict.fromkeys((1, 6, 11, 14, 15), (2.4,)),
    7: (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913),
    4: (2.2,),
    5: (2.8,),
    8: (1.0,),
    17: (2.6, (52.37 / 48) ** (1 / 2.6), 0.0),
    SRGB: (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
}
# A profile has room for no more.
MAX_EXPONENT = 32767
_CURVE_TYPES = {1: 0, 3: 1, 5: 3}

_D50 = (0.9642, 1.0, 0.8249)
# The Bradford cone responses, in which profiles adapt colours to D50.
_CONES = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))

Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]


@functools.lru_cache(maxsize=32)
def of_coding_points(points: CodingPoints) -> bytes | None:
    """The profile of these coding points; None for sRGB, and for those that are not known."""
    primaries, curve = _PRIMARIES.get(points.primaries), _CURVES.get(points.transfer)
    if not primaries or not curve or points == (BT709, SRGB):
        return None
    return _profile(primaries, curve)


@functools.lru_cache(maxsize=32)
def of_gamma(gamma: float, chromaticities: Chromaticities | None) -> bytes:
    """The profile of samples encoded with this exponent, in these primaries; in sRGB's if they are
    not given, or make no sense."""
    curve = (min(1 / gamma, MAX_EXPONENT),)
    try:
        return _profile(chromaticities or _PRIMARIES[BT709], curve)
    except (ZeroDivisionError, struct.error):
        return _profile(_PRIMARIES[BT709], curve)


def is_known(points: CodingPoints) -> bool:
    """Whether these describe SDR colours, such as of_coding_points() knows."""
    return points.primaries in _PRIMARIES and points.transfer in _CURVES


def _profile(chromaticities: Chromaticities, curve: tuple[float, ...]) -> bytes:
    columns = [b"XYZ \0\0\0\0" + _fixed(column) for column in _columns(chromaticities)]
    response = b"para\0\0\0\0" + struct.pack(">HH", _CURVE_TYPES[len(curve)], 0) + _fixed(curve)
    tags = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True))
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), response)
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + _fixed(_D50)
    start = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(tag))
        body += tag
    head = struct.pack(">I4xI", start + len(body), 0x02400000) + b"mntrRGB XYZ " + bytes(12)
    head += b"acsp" + bytes(28) + _fixed(_D50)
    return head.ljust(128, b"\0") + table + body


def _fixed(numbers: Vector) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _columns(chromaticities: Chromaticities) -> Matrix:
    """The primaries in XYZ, such that together they make white, adapted to D50."""
    bright, *primaries = (
        (x, y, 1 - x - y) for x, y in zip(chromaticities[::2], chromaticities[1::2], strict=True)
    )
    white = tuple(value / bright[1] for value in bright)
    amounts = _times(_inverse(tuple(zip(*primaries, strict=True))), white)
    cones = zip(_times(_CONES, _D50), _times(_CONES, white), strict=True)
    factors = [there / here for there, here in cones]
    back = _inverse(_CONES)

    def adapted(colour: Vector) -> Vector:
        responses = zip(factors, _times(_CONES, colour), strict=True)
        return _times(back, tuple(factor * value for factor, value in responses))

    return tuple(
        adapted(tuple(amount * value for value in primary))
        for amount, primary in zip(amounts, primaries, strict=True)
    )


def _times(matrix: Matrix, vector: Vector) -> Vector:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def _inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return tuple(
        tuple(value / determinant for value in row)
        for row in (
            (e * i - f * h, c * h - b * i, b * f - c * e),
            (f * g - d * i, a * i - c * g, c * d - a * f),
            (d * h - e * g, b * g - a * h, a * e - b * d),
        )
    )
