"""What a browser shows whole is answered, what it shows half is no image."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from classification import images
from classification.errors import ServiceError
from tests.support import half_photos
from tests.support.likeness import difference
from tests.support.odd_photos import save

ALL_FORMATS = ["jpg", "jpeg", "png", "webp", "gif", "heic", "avif"]
HALF, WHOLE, FLAT = half_photos.half(), half_photos.whole(), half_photos.flat()


def prepare(data: bytes) -> Image.Image:
    photo = images.prepare(data, allowed_formats=ALL_FORMATS, max_side=1024)
    return Image.open(BytesIO(photo.jpeg))


@pytest.mark.parametrize("name", HALF)
def test_half_a_photo_is_refused(name: str) -> None:
    with pytest.raises(ServiceError) as caught:
        prepare(HALF[name])

    assert caught.value.code == "invalid_image"


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_photo_is_answered(name: str) -> None:
    assert difference(prepare(WHOLE[name]), half_photos.detailed()) <= 12


@pytest.mark.parametrize("name", FLAT)
def test_a_photo_that_ends_in_a_flat_area_is_answered(name: str) -> None:
    assert FLAT[name].rstrip(b"\0") != FLAT[name]
    assert difference(prepare(FLAT[name]), half_photos.partly_flat()) <= 12


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_whose_last_corner_is_grey_is_answered(options: dict[str, Any]) -> None:
    """As decoders show what is missing."""
    picture = half_photos.detailed()
    picture.paste((128, 128, 128), (400, 200, *half_photos.SIZE))

    assert difference(prepare(save(picture, "JPEG", **options)), picture) <= 12


@pytest.mark.parametrize("colour", [(128, 128, 128), (1, 2, 3)])
def test_a_flat_jpeg_is_answered(colour: tuple[int, int, int]) -> None:
    """Its codes of one bit are zeros."""
    picture = Image.new("RGB", half_photos.SIZE, colour)
    data = save(picture, "JPEG", optimize=True)

    assert data[:-2].endswith(bytes(100))
    assert difference(prepare(data), picture) <= 12


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
def test_a_png_whose_last_rows_are_black_is_answered(mode: str) -> None:
    """As decoders show what is missing."""
    black = Image.new(mode, (401, 300))

    assert prepare(save(black, "PNG")).size == black.size
