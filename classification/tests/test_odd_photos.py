"""Every format with every oddity that phones, scanners and careless programs give it."""

import struct
from io import BytesIO

import pytest
from PIL import Image

from classification import images
from classification.errors import ServiceError
from tests.support import coloured_photos, flawed_photos, odd_photos
from tests.support.likeness import difference
from tests.support.odd_photos import SIZE, scene

ALL_FORMATS = ["jpg", "jpeg", "png", "webp", "gif", "heic", "avif"]
# These do not show the scene as it is.
OTHERWISE = (
    "transparent",
    "by numbers",
    "profile",
    "gamma",
    "PNG 1",
    "WEBP orientation",
    "screen",
    "mirrored",
    "without its last colour",
)
# A profile of 5 MB is one that does not count.
STILL_THE_SCENE = ("junk", "short", "of 5 MB", "gamma of sRGB", "iCCP", "empty")
ODD = odd_photos.all_of_them()
COLOURED = coloured_photos.all_of_them()
FLAWED, NOT_SHOWN = flawed_photos.shown(), flawed_photos.not_shown()


def prepare(data: bytes) -> images.Photo:
    return images.prepare(data, allowed_formats=ALL_FORMATS, max_side=1024)


def sent(data: bytes) -> Image.Image:
    return Image.open(BytesIO(prepare(data).jpeg))


def shows_the_scene(name: str) -> bool:
    return not any(word in name for word in OTHERWISE) or any(
        word in name for word in STILL_THE_SCENE
    )


@pytest.mark.parametrize("name", [name for name in ODD if shows_the_scene(name)])
def test_it_is_answered_upright_and_in_its_colours(name: str) -> None:
    result = prepare(ODD[name])

    assert (result.width, result.height) == SIZE
    shown = scene("L") if name.endswith((" L", " LA")) else scene()
    assert difference(Image.open(BytesIO(result.jpeg)), shown) <= 12


@pytest.mark.parametrize("name", FLAWED)
def test_what_browsers_put_up_with_is_shown_as_they_show_it(name: str) -> None:
    result = prepare(FLAWED[name])

    assert (result.width, result.height) == SIZE
    assert difference(Image.open(BytesIO(result.jpeg)), scene()) <= 12


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_what_browsers_do_not_show_is_no_image(name: str) -> None:
    with pytest.raises(ServiceError) as caught:
        prepare(NOT_SHOWN[name])

    assert caught.value.code == "invalid_image"


@pytest.mark.parametrize("name", [name for name in ODD if not shows_the_scene(name)])
def test_it_is_answered(name: str) -> None:
    assert sent(ODD[name]).mode == "RGB"


@pytest.mark.parametrize("orientation", [1, *odd_photos.STORED])
def test_a_heic_turned_by_exif_alone_is_upright(orientation: int) -> None:
    stored = scene().transpose(odd_photos.STORED[orientation]) if orientation > 1 else scene()
    data = odd_photos.save(stored, "HEIF", exif=odd_photos.exif(1))
    turned = data.replace(odd_photos.exif(1), odd_photos.exif(orientation))

    assert odd_photos.exif(orientation) in turned
    assert difference(sent(turned), scene()) <= 12


def test_a_transparent_heic_is_shown_on_white() -> None:
    ground = Image.new("RGB", SIZE, "white")
    ground.paste(scene(), mask=Image.linear_gradient("L").resize(SIZE))

    assert difference(sent(ODD["HEIF half transparent"]), ground) <= 12


@pytest.mark.parametrize("name", ["JPEG orientation 6", "PNG orientation 6", "AVIF orientation 6"])
def test_a_camera_is_told_by_its_name(name: str) -> None:
    assert prepare(ODD[name]).has_camera_data


@pytest.mark.parametrize("missing", range(1, 400, 7))
def test_what_is_cut_short_is_whole_or_refused(missing: int) -> None:
    """A JPEG without its end mark is whole; with less of it, what is missing shows or is told."""
    whole = odd_photos.save(scene(), "JPEG")
    try:
        picture = sent(whole[:-missing])
    except ServiceError:
        assert missing > 2
    else:
        assert difference(picture, scene()) <= 12


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_what_is_half_there_is_refused(image_format: str, part: float) -> None:
    whole = odd_photos.save(scene().resize((800, 600)), image_format)
    with pytest.raises(ServiceError) as caught:
        prepare(whole[: int(len(whole) * part)])

    assert caught.value.code == "invalid_image"


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("restarts", [0, 1])
def test_half_a_jpeg_padded_with_zeros_is_refused(part: float, restarts: int) -> None:
    """As downloads are that stopped."""
    large = scene().resize((800, 600))
    whole = odd_photos.save(large, "JPEG", restart_marker_rows=restarts)
    there = whole[: int(len(whole) * part)]
    with pytest.raises(ServiceError) as caught:
        prepare(there.ljust(len(whole), b"\0"))

    assert caught.value.code == "invalid_image"


@pytest.mark.parametrize("quality", range(60, 90))
def test_zeros_in_place_of_the_end_mark_do_no_harm(quality: int) -> None:
    whole = odd_photos.save(scene(), "JPEG", quality=quality)

    assert difference(sent(whole[:-2] + bytes(500)), scene()) <= 12


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"IDAT"])
def test_a_checksum_counts_in_what_holds_pixels(kind: bytes) -> None:
    data = bytearray(odd_photos.save(scene("P"), "PNG"))
    at = data.index(kind)
    (length,) = struct.unpack_from(">I", data, at - 4)
    data[at + 4 + length] ^= 0xFF
    with pytest.raises(ServiceError) as caught:
        prepare(bytes(data))

    assert caught.value.code == "invalid_image"


@pytest.mark.parametrize("mode", ["P", "1"])
def test_fine_lines_in_few_colours_are_as_legible_as_in_many(mode: str) -> None:
    lines = Image.new("1", (3000, 2000), 1)
    for x in range(0, 3000, 6):
        lines.paste(0, (x, 0, x + 2, 2000))
    twin = sent(odd_photos.save(lines.convert("RGB"), "PNG"))
    picture = sent(odd_photos.save(lines.convert(mode), "PNG"))

    assert max(abs(a - b) for a, b in zip(picture.tobytes(), twin.tobytes(), strict=True)) <= 8


@pytest.mark.parametrize("width", [64, 4096, 5000])
def test_sixteen_bits_of_any_width_keep_their_shades(width: int) -> None:
    data = odd_photos.save(Image.new("I;16", (width, 64), 0xC000), "PNG")
    picture = sent(data)

    assert picture.getpixel((picture.width // 2, picture.height // 2)) == pytest.approx(
        (192, 192, 192), abs=2
    )


@pytest.mark.parametrize(
    ("size", "sent_size"),
    [
        ((1080, 2340), (473, 1024)),
        ((1080, 3240), (341, 1024)),
        ((1080, 20_000), (341, 1024)),
        ((1440, 50_000), (341, 1024)),
        ((8000, 1000), (1024, 128)),
        ((12_000, 600), (1024, 51)),
    ],
)
def test_of_a_long_picture_a_part_is_sent_that_can_be_read(
    size: tuple[int, int], sent_size: tuple[int, int]
) -> None:
    result = prepare(odd_photos.save(Image.new("L", size, 200), "PNG", compress_level=1))

    assert (result.width, result.height) == size
    assert Image.open(BytesIO(result.jpeg)).size == sent_size


@pytest.mark.parametrize("orientation", [1, *odd_photos.STORED])
def test_of_a_long_picture_its_top_is_sent_however_it_lies(orientation: int) -> None:
    upright = Image.new("RGB", (200, 3000), "blue")
    upright.paste("red", (0, 0, 200, 600))
    upright.paste("yellow", (0, 0, 100, 300))
    stored = upright.transpose(odd_photos.STORED[orientation]) if orientation > 1 else upright
    data = odd_photos.save(stored, "JPEG", exif=odd_photos.exif(orientation))

    assert difference(sent(data), upright.crop((0, 0, 200, 600))) <= 16


def nits(white: float) -> int:
    """The 8-bit signal of PQ for this much light."""
    power = (white / 10_000) ** (2610 / 16384)
    base = (3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)
    return round(255 * float(base ** (2523 / 32)))


@pytest.mark.parametrize(
    ("light", "shade"), [(0, 0), (41, 124), (81, 170), (152, 225), (203, 240), (1000, 255)]
)
def test_hdr_is_shown_as_bright_as_a_phone_shows_it(light: float, shade: int) -> None:
    """White paper at 203 nits, and what is darker as on any other picture."""
    grey = Image.new("RGB", (64, 64), (nits(light),) * 3)
    for data in (
        odd_photos.with_coding_points(odd_photos.save(grey, "AVIF"), 9, 16),
        odd_photos.png_with(
            odd_photos.chunk(b"cICP", bytes([9, 16, 0, 1])), data=odd_photos.save(grey, "PNG")
        ),
    ):
        assert sent(data).getpixel((32, 32)) == pytest.approx((shade,) * 3, abs=8)


def test_hlg_is_shown_as_bright_too() -> None:
    grey = Image.new("RGB", (64, 64), (191, 191, 191))
    data = odd_photos.with_coding_points(odd_photos.save(grey, "AVIF"), 9, 18)

    assert sent(data).getpixel((32, 32)) == pytest.approx((240,) * 3, abs=6)


@pytest.mark.parametrize("name", COLOURED)
def test_colours_in_numbers_are_shown_in_srgb(name: str) -> None:
    data, expected = COLOURED[name]

    assert sent(data).getpixel((32, 32)) == pytest.approx(expected, abs=4)


@pytest.mark.parametrize(
    "make",
    [
        lambda red: odd_photos.save(red, "JPEG", icc_profile=odd_photos.wide_profile()),
        lambda red: odd_photos.save(red, "PNG", icc_profile=odd_photos.wide_profile()),
        lambda red: odd_photos.save(red, "WEBP", icc_profile=odd_photos.wide_profile()),
        lambda red: odd_photos.save(red, "HEIF", icc_profile=odd_photos.wide_profile()),
        lambda red: odd_photos.with_coding_points(odd_photos.save(red, "AVIF"), 12, 13),
    ],
)
def test_wide_colours_are_shown_in_srgb(make: object) -> None:
    assert callable(make)
    pixel = sent(make(Image.new("RGB", (64, 64), (200, 100, 50)))).getpixel((32, 32))

    # As Chromium shows it.
    assert pixel == pytest.approx((215, 93, 31), abs=8)
