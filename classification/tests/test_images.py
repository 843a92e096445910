import contextlib
import struct
import tracemalloc
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from classification import images
from classification.errors import ServiceError
from tests.support.pictures import photo

ALL_FORMATS = ["jpg", "jpeg", "png", "webp", "gif", "heic", "avif"]


def prepare(data: bytes, max_side: int = 1024) -> images.Photo:
    return images.prepare(data, allowed_formats=ALL_FORMATS, max_side=max_side)


def refusal_code(data: bytes) -> str:
    with pytest.raises(ServiceError) as caught:
        prepare(data)
    return caught.value.code


def sent(data: bytes, max_side: int = 1024) -> Image.Image:
    """The picture that a model is sent for this upload."""
    return Image.open(BytesIO(prepare(data, max_side).jpeg))


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is this large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * height // 100), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF", "MPO"])
def test_allowed_formats_become_an_rgb_jpeg(image_format: str) -> None:
    picture = sent(photo(image_format))

    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (64, 48))


@pytest.mark.parametrize("image_format", ["BMP", "TIFF", "ICO"])
def test_another_image_format_is_unsupported(image_format: str) -> None:
    assert refusal_code(photo(image_format)) == "unsupported_format"


def test_a_format_that_is_switched_off_is_unsupported() -> None:
    with pytest.raises(ServiceError) as caught:
        images.prepare(photo("PNG"), allowed_formats=["jpg"], max_side=1024)

    assert caught.value.code == "unsupported_format"


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff\xe0", b"GIF89a", b"<svg/>"])
def test_what_is_no_image_is_invalid(data: bytes) -> None:
    assert refusal_code(data) == "invalid_image"


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF"])
def test_a_truncated_image_is_invalid(image_format: str) -> None:
    data = photo(image_format, size=(400, 300))

    assert refusal_code(data[: len(data) // 2]) == "invalid_image"


def test_a_png_with_a_wrong_checksum_is_invalid() -> None:
    data = bytearray(photo("PNG", size=(400, 300)))
    data[data.index(b"IDAT") + 200] ^= 0xFF

    assert refusal_code(bytes(data)) == "invalid_image"


@pytest.mark.parametrize("size", [(9, 100), (100, 9), (2010, 10), (10, 2010)])
def test_a_side_too_short_or_a_strip_is_refused(size: tuple[int, int]) -> None:
    assert refusal_code(photo("PNG", size=size)) == "image_dimensions"


@pytest.mark.parametrize("size", [(10, 10), (2000, 10)])
def test_the_smallest_and_the_narrowest_allowed_are_sent_over_ten_pixels(
    size: tuple[int, int],
) -> None:
    picture = sent(photo("PNG", size=size))

    assert min(picture.size) > 10
    assert max(picture.size) <= 200 * min(picture.size)


def test_a_900_megapixel_png_is_refused_before_it_is_decoded() -> None:
    data = bomb(30_000, 30_000)
    tracemalloc.start()
    try:
        assert refusal_code(data) == "image_dimensions"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 50 * 1024 * 1024


def test_the_longest_side_is_reduced_and_the_shape_kept() -> None:
    result = prepare(photo(size=(3000, 1500)), max_side=1024)

    assert (result.width, result.height) == (3000, 1500)
    assert Image.open(BytesIO(result.jpeg)).size == (1024, 512)


def test_a_small_photo_is_not_enlarged() -> None:
    assert sent(photo(size=(300, 200))).size == (300, 200)


def test_a_photo_lying_on_its_side_is_sent_upright() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    result = prepare(photo(size=(300, 200), exif=exif))

    assert (result.width, result.height) == (200, 300)
    assert Image.open(BytesIO(result.jpeg)).size == (200, 300)


def test_metadata_does_not_leave_the_house() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Canon"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    data = photo(exif=exif, comment=b"at home", dpi=(300, 300))
    assert b"Canon" in data
    result = prepare(data)
    picture = Image.open(BytesIO(result.jpeg))

    assert result.has_camera_data
    assert not picture.getexif()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"Canon" not in result.jpeg
    assert b"at home" not in result.jpeg


def test_transparency_is_shown_on_white() -> None:
    buffer = BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(buffer, "PNG")

    assert sent(buffer.getvalue()).getpixel((25, 25)) == (255, 255, 255)


def test_sixteen_bits_a_channel_keep_their_shades() -> None:
    buffer = BytesIO()
    Image.new("I;16", (50, 50), 0x8000).save(buffer, "PNG")
    grey = sent(buffer.getvalue()).getpixel((25, 25))

    assert isinstance(grey, tuple)
    assert grey[0] == pytest.approx(128, abs=2)


@pytest.mark.parametrize(
    ("image_format", "mode"),
    [("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "1"), ("GIF", "P")],
)
def test_every_colour_mode_is_sent_as_rgb(image_format: str, mode: str) -> None:
    assert sent(photo(image_format, mode=mode)).mode == "RGB"


def test_an_animation_is_sent_as_its_first_frame() -> None:
    buffer = BytesIO()
    red, blue = (Image.new("RGB", (50, 50), colour) for colour in ("red", "blue"))
    red.save(buffer, "GIF", save_all=True, append_images=[blue])
    pixel = sent(buffer.getvalue()).getpixel((25, 25))

    assert isinstance(pixel, tuple)
    assert pixel[0] > 200


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=300), place=st.integers(0, 2000), byte=st.integers(0, 255))
def test_any_damage_ends_in_a_photo_or_a_refusal(data: bytes, place: int, byte: int) -> None:
    damaged = bytearray(photo("PNG"))
    damaged[place % len(damaged)] = byte
    for candidate in (data, bytes(damaged)):
        with contextlib.suppress(ServiceError):
            assert prepare(candidate).jpeg.startswith(b"\xff\xd8")
