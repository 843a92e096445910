"""Converts HDR colours (PQ and HLG, by their ITU-T H.273 coding points) to sRGB.

A phone shows reference white of an HDR picture (203 nits, ITU-R BT.2408) as bright as white in any
other picture, and highlights brighter. sRGB has no room for them: everything from three quarters of
reference white up to 1000 nits is compressed into the top quarter.
"""

import functools

from PIL import Image, ImageFilter

from classification.image_decoding.containers.source import CodingPoints

PQ, HLG = 16, 18
TRANSFERS = {PQ, HLG}
BT709, BT2020, DISPLAY_P3 = 1, 9, 12
TABLE_SIDE = 33
SRGB_STEPS = 4096
EVEN_EXPONENT = 2.4
WHITE_NITS, BRIGHTEST_NITS = 203, 1000
BRIGHTEST = BRIGHTEST_NITS / WHITE_NITS
KNEE = 0.75

Colour = tuple[float, float, float]

# To the primaries of sRGB, in linear light.
PRIMARIES: dict[int, tuple[Colour, Colour, Colour]] = {
    BT709: ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    BT2020: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    DISPLAY_P3: ((1.2249, -0.2247, 0), (-0.0420, 1.0419, 0), (-0.0197, -0.0786, 1.0979)),
}
# How much red, green and blue add to luminance.
LUMINANCE: dict[int, Colour] = {
    BT709: (0.2126, 0.7152, 0.0722),
    BT2020: (0.2627, 0.6780, 0.0593),
    DISPLAY_P3: (0.2290, 0.6917, 0.0793),
}


def is_known(points: CodingPoints) -> bool:
    """Whether these describe HDR colours, such as to_srgb() knows."""
    return points.primaries in PRIMARIES and points.transfer in TRANSFERS


def to_srgb(image: Image.Image, primaries: int, transfer: int) -> Image.Image:
    """Convert an RGB picture to sRGB. Unknown primaries are treated as sRGB's."""
    if transfer == PQ:
        # The curve is too steep for the steps of a lookup table.
        image = image.point(_evened_pq() * 3)
    return image.filter(_table(primaries, transfer))


@functools.cache
def _evened_pq() -> list[int]:
    """Maps each PQ value to one on a gamma curve up to BRIGHTEST_NITS."""
    shares = (_linear_of_pq(value / 255) / BRIGHTEST for value in range(256))
    return [round(255 * min(share, 1.0) ** (1 / EVEN_EXPONENT)) for share in shares]


def _linear_of_evened_pq(signal: float) -> float:
    return float(signal**EVEN_EXPONENT * BRIGHTEST)


@functools.lru_cache(maxsize=8)
def _table(primaries: int, transfer: int) -> ImageFilter.Color3DLUT:
    to_linear = _linear_of_evened_pq if transfer == PQ else _linear_of_hlg
    matrix = PRIMARIES.get(primaries, PRIMARIES[BT709])
    luminance = LUMINANCE.get(primaries, LUMINANCE[BT709])
    lights = [to_linear(number / (TABLE_SIDE - 1)) for number in range(TABLE_SIDE)]
    values: list[float] = []
    # Written out, and with ready steps of sRGB: a decoder's time is limited.
    for blue in lights:
        for green in lights:
            for red in lights:
                linear = red, green, blue
                if transfer == HLG:  # its brightness depends on all three
                    linear = _shown_hlg(linear, luminance)
                values += _shown(linear, matrix)
    return ImageFilter.Color3DLUT(TABLE_SIDE, values, channels=3, target_mode="RGB")


def _shown(linear: Colour, matrix: tuple[Colour, Colour, Colour]) -> Colour:
    factor = _tone(max(linear)) * SRGB_STEPS
    red, green, blue = linear[0] * factor, linear[1] * factor, linear[2] * factor
    (rr, rg, rb), (gr, gg, gb), (br, bg, bb) = matrix
    steps = _srgb_steps()
    return (
        steps[round(min(max(rr * red + rg * green + rb * blue, 0.0), SRGB_STEPS))],
        steps[round(min(max(gr * red + gg * green + gb * blue, 0.0), SRGB_STEPS))],
        steps[round(min(max(br * red + bg * green + bb * blue, 0.0), SRGB_STEPS))],
    )


def _tone(brightest: float) -> float:
    """The factor for a colour, by its brightest channel as a fraction of reference white."""
    if brightest <= KNEE:
        return 1.0
    above = (brightest - KNEE) / (1 - KNEE)
    top = (BRIGHTEST - KNEE) / (1 - KNEE)
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


def _shown_hlg(scene: Colour, shares: Colour) -> Colour:
    """Scene light as a display of BRIGHTEST_NITS shows it, as a fraction of WHITE_NITS."""
    luminance = shares[0] * scene[0] + shares[1] * scene[1] + shares[2] * scene[2]
    factor = float(luminance**0.2 * BRIGHTEST)
    return scene[0] * factor, scene[1] * factor, scene[2] * factor


@functools.cache
def _srgb_steps() -> list[float]:
    return [_srgb(number / SRGB_STEPS) for number in range(SRGB_STEPS + 1)]


def _srgb(linear: float) -> float:
    if linear <= 0.0031308:
        return linear * 12.92
    return float(1.055 * linear ** (1 / 2.4) - 0.055)
