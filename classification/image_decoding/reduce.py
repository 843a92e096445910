"""Prepares a decoded picture for a model: cropped, reduced, upright, opaque."""

from PIL import Image

from classification.image_decoding import colour
from classification.image_decoding.containers.source import Source

Box = tuple[int, int, int, int]

# DashScope requires sides of more than 10 px.
MODEL_MIN_SIDE = 11
# The maximum of height / width; taller pictures are cropped. A screenshot of a whole conversation
# would be reduced to an illegible strip. Its top, three times as tall as wide, is a little more
# than a phone's screen shows: models recognise and read it. Tiles side by side would look like
# nothing they know, at half the resolution. Wide pictures are panoramas, recognisable by their
# shape, and are not cropped.
MAX_HEIGHT_RATIO = 3
_TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def reduce(image: Image.Image, source: Source, max_side: int) -> Image.Image:
    """The picture upright, in RGB and sRGB, on white, with sides between MODEL_MIN_SIDE and
    `max_side` pixels. May modify `image`."""
    if (box := shown_part(image.size, source.orientation)) != (0, 0, *image.size):
        image = image.crop(box)
    image = _eight_bits(image)
    # Bicubic, like Qwen's own preprocessing; Lanczos took 1.5 times as long.
    image.thumbnail((max_side, max_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    if image.mode in ("LA", "RGBA"):
        image = _on_white(image, source)
    else:
        image = colour.to_srgb(image, source)
    if source.orientation in _TRANSPOSED:
        image = image.transpose(_TRANSPOSED[source.orientation])
    return _pad(image)


def shown_part(size: tuple[int, int], orientation: int) -> Box:
    """The part of a stored picture that is sent: all of it, unless it is too tall."""
    width, height = size if orientation < 5 else size[::-1]
    box = (0, 0, width, height)
    if height > MAX_HEIGHT_RATIO * width:
        box = (0, 0, width, MAX_HEIGHT_RATIO * width)
    return _stored(box, size, orientation)


def _stored(box: Box, size: tuple[int, int], orientation: int) -> Box:
    """A box of the upright picture, in coordinates of the stored one."""
    left, top, right, bottom = box
    if orientation >= 5:
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 7, 8):
        left, right = size[0] - right, size[0] - left
    if orientation in (3, 4, 6, 7):
        top, bottom = size[1] - bottom, size[1] - top
    return left, top, right, bottom


def _eight_bits(image: Image.Image) -> Image.Image:
    """Convert to a mode with 8 bits per channel that can be resampled; palette colours cannot be
    mixed."""
    if image.mode.startswith("I;16"):
        order, metadata = (1 if image.mode != "I;16B" else 0), image.info
        image = Image.frombytes("L", image.size, image.tobytes()[order::2])
        image.info = metadata  # with the transparent shade
    if image.mode in ("I", "F"):
        return image.point(lambda value: value / 256).convert("L")
    if image.has_transparency_data and image.mode not in ("LA", "RGBA"):
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK") else image.convert("RGB")


def _on_white(image: Image.Image, source: Source) -> Image.Image:
    alpha = image.getchannel("A")
    opaque = image.convert("L" if image.mode == "LA" else "RGB")
    ground = Image.new("RGB", image.size, "white")
    ground.paste(colour.to_srgb(opaque, source), mask=alpha)
    return ground


def _pad(image: Image.Image) -> Image.Image:
    """Pad the image with white to the model's minimum size."""
    size = max(image.width, MODEL_MIN_SIDE), max(image.height, MODEL_MIN_SIDE)
    if size == image.size:
        return image
    ground = Image.new("RGB", size, "white")
    ground.paste(image)
    return ground
