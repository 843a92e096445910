"""Converts HDR colours (PQ and HLG, by their ITU-T H.273 coding points) to sRGB.

A phone shows reference white of an HDR picture (203 nits, ITU-R BT.2408) as bright as white in any
other picture, and highlights brighter. sRGB has no room for them: everything from three quarters of
reference white up to 1000 nits is compressed into the top quarter.
"""

import functools

from PIL import Image, ImageFilter

PQ, HLG = 16, 18
TRANSFERS = {PQ, HLG}
BT709, BT2020, DISPLAY_P3 = 1, 9, 12
TABLE_SIDE = 33
EVEN_EXPONENT = 2.4
WHITE_NITS, BRIGHTEST_NITS = 203, 1000
KNEE = 0.75

Colour = tuple[float, float, float]

# To the primaries of sRGB, in linear light.
PRIMARIES: dict[int, tuple[Colour, Colour, Colour]] = {
    BT709: ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    BT2020: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    DISPLAY_P3: ((1.2249, -0.2247, 0), (-0.0420, 1.0419, 0), (-0.0197, -0.0786, 1.0979)),
}


def to_srgb(image: Image.Image, primaries: int, transfer: int) -> Image.Image:
    """Convert an RGB picture to sRGB. Unknown primaries are treated as sRGB's."""
    if transfer == PQ:
        # The curve is too steep for the steps of a lookup table.
        image = image.point(_evened_pq() * 3)
    return image.filter(_table(primaries, transfer))


@functools.cache
def _evened_pq() -> list[int]:
    """Maps each PQ value to one on a gamma curve up to BRIGHTEST_NITS."""
    shares = (_linear_of_pq(value / 255) * WHITE_NITS / BRIGHTEST_NITS for value in range(256))
    return [round(255 * min(share, 1.0) ** (1 / EVEN_EXPONENT)) for share in shares]


def _linear_of_evened_pq(signal: float) -> float:
    return float(signal**EVEN_EXPONENT * BRIGHTEST_NITS / WHITE_NITS)


@functools.lru_cache(maxsize=8)
def _table(primaries: int, transfer: int) -> ImageFilter.Color3DLUT:
    to_linear = _linear_of_evened_pq if transfer == PQ else _linear_of_hlg
    matrix = PRIMARIES.get(primaries, PRIMARIES[BT709])
    steps = [number / (TABLE_SIDE - 1) for number in range(TABLE_SIDE)]
    # HLG's brightness depends on all three channels, the others' on each alone.
    values: list[float] = []
    ready = {step: to_linear(step) for step in steps}
    for blue in steps:
        for green in steps:
            for red in steps:
                linear = (ready[red], ready[green], ready[blue])
                if transfer == HLG:
                    linear = _shown_hlg(linear)
                values.extend(_shown(linear, matrix))
    return ImageFilter.Color3DLUT(TABLE_SIDE, values, channels=3, target_mode="RGB")


def _shown(linear: Colour, matrix: tuple[Colour, Colour, Colour]) -> Colour:
    red, green, blue = (
        max(sum(a * b for a, b in zip(row, linear, strict=True)), 0.0) for row in matrix
    )
    factor = _tone(max(red, green, blue))
    return _srgb(red * factor), _srgb(green * factor), _srgb(blue * factor)


def _tone(brightest: float) -> float:
    """The factor for a colour, by its brightest channel as a fraction of white."""
    if brightest <= KNEE:
        return 1.0
    above = (brightest - KNEE) / (1 - KNEE)
    top = (BRIGHTEST_NITS / WHITE_NITS - KNEE) / (1 - KNEE)
    pressed = above * (1 + above / top**2) / (1 + above)
    return min(KNEE + (1 - KNEE) * pressed, 1.0) / brightest


def _linear_of_pq(signal: float) -> float:
    """SMPTE ST 2084, as a fraction of WHITE_NITS."""
    power = signal ** (32 / 2523)
    base = max(power - 3424 / 4096, 0.0) / (2413 / 128 - 2392 / 128 * power)
    return float(10_000 * base ** (16384 / 2610) / WHITE_NITS)


def _linear_of_hlg(signal: float) -> float:
    """ARIB STD-B67: scene light, from 0 to 1."""
    if signal <= 0.5:
        return signal**2 / 3
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return float((2.718281828459045 ** ((signal - c) / a) + b) / 12)


def _shown_hlg(scene: Colour) -> Colour:
    """Scene light as a display of BRIGHTEST_NITS shows it, as a fraction of WHITE_NITS."""
    luminance = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2]
    factor = luminance**0.2 * BRIGHTEST_NITS / WHITE_NITS
    return scene[0] * factor, scene[1] * factor, scene[2] * factor


def _srgb(linear: float) -> float:
    clipped = min(max(linear, 0.0), 1.0)
    if clipped <= 0.0031308:
        return clipped * 12.92
    return float(1.055 * clipped ** (1 / 2.4) - 0.055)
