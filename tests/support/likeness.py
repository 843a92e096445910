"""Measure how similar two pictures look."""

from PIL import Image

SIDE = 12


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of any channel, of 255, once both are reduced to a few pixels."""
    return max(abs(a - b) for a, b in zip(_reduced(one), _reduced(other), strict=True))


def _reduced(image: Image.Image) -> bytes:
    return image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX).tobytes()
