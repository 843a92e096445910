"""Photos as phones, scanners and careless programs write them, by name: every format, with each
oddity it can have. All show `scene()`, upright, unless their name says otherwise."""

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageDraw

from tests.support.heif_boxes import box, grid

pillow_heif.register_heif_opener()

SIZE = (192, 128)
ORIENTATION, MAKE = 0x0112, 0x010F
# What a camera does that is held so: the picture is stored the other way round.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")


def scene(mode: str = "RGB") -> Image.Image:
    """Four quarters of different colours, no two alike in any mirror."""
    image = Image.new("RGB", SIZE, (200, 60, 50))
    draw = ImageDraw.Draw(image)
    width, height = SIZE
    draw.rectangle((width // 2, 0, width, height // 2), (60, 170, 80))
    draw.rectangle((0, height // 2, width // 2, height), (50, 80, 190))
    draw.rectangle((width // 2, height // 2, width, height), (210, 200, 180))
    draw.rectangle((16, 16, 40, 40), (20, 20, 20))
    return image if mode == "RGB" else image.convert(mode)


def save(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    if image_format == "JPEG" and "exif" in options:
        options["exif"] = b"Exif\0\0" + options["exif"]
    if image_format in ("JPEG", "AVIF"):
        options = {"quality": 92, "subsampling": "4:4:4"} | options
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def exif(orientation: int, order: str = "<") -> bytes:
    """A TIFF block with a camera's name and this orientation."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(f"{order}HHI4s", MAKE, 2, 4, b"Cam\0")
    entries += struct.pack(f"{order}HHIHH", ORIENTATION, 3, 1, orientation, 0)
    return start + struct.pack(f"{order}IH", 8, 2) + entries + bytes(4)


def segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body


def jpeg_with(*segments: bytes, data: bytes | None = None) -> bytes:
    """A JPEG with these segments in front of all others."""
    data = data or save(scene(), "JPEG")
    return data[:2] + b"".join(segments) + data[2:]


def chunk(kind: bytes, body: bytes, *, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png_with(*chunks: bytes, data: bytes | None = None) -> bytes:
    """A PNG with these chunks behind its header."""
    data = data or save(scene(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def wide_profile() -> bytes:
    """A profile whose primaries are those of Display P3."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    columns = {
        b"rXYZ": (0.5151, 0.2412, -0.0011),
        b"gXYZ": (0.2919, 0.6922, 0.0419),
        b"bXYZ": (0.1572, 0.0666, 0.7841),
    }
    for number in range(int.from_bytes(profile[128:132], "big")):
        tag, start, _ = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if tag in columns:
            values = (round(value * 65536) for value in columns[tag])
            struct.pack_into(">3i", profile, start + 8, *values)
        elif tag == b"desc":
            # Not the name of what it was.
            profile[start : start + 4] = b"none"
    return bytes(profile)


def linear_profile() -> bytes:
    """A profile for linear light whose name begins like that of sRGB."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for number in range(int.from_bytes(profile[128:132], "big")):
        tag, start, _ = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if tag.endswith(b"TRC"):
            profile[start : start + 12] = b"curv" + bytes(8)
    return bytes(profile).replace(
        "sRGB built-in".encode("utf-16-be"), "sRGB of light".encode("utf-16-be")
    )


def with_coding_points(avif: bytes, primaries: int, transfer: int) -> bytes:
    """An AVIF that says its colours are these of ITU-T H.273."""
    at = avif.index(b"nclx") + 4
    return avif[:at] + struct.pack(">HH", primaries, transfer) + avif[at + 4 :]


def shades(depth: int, transparent: int) -> bytes:
    """A grey PNG of so many bits, one of whose shades is transparent."""
    most = (1 << depth) - 1
    values = [value * most // 255 for value in scene("L").tobytes()]
    bits = "".join(f"{value:0{depth}b}" for value in values)
    packed = int(bits, 2).to_bytes(len(bits) // 8, "big")
    row = len(packed) // SIZE[1]
    rows = b"".join(b"\0" + packed[at : at + row] for at in range(0, len(packed), row))
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", *SIZE, depth, 0, 0, 0, 0)),
            chunk(b"tRNS", struct.pack(">H", transparent * most // 255)),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )


def animated_png(frame: Image.Image, place: tuple[int, int] = (0, 0)) -> bytes:
    """A PNG with this first frame; programs that know no animations show another picture."""
    other = save(scene().rotate(180), "PNG")[:-12]
    pixels = save(frame, "PNG")
    start = pixels.index(b"IDAT")
    (length,) = struct.unpack_from(">I", pixels, start - 4)
    control = struct.pack(">5I2H2B", 0, *frame.size, *place, 1, 1, 0, 0)
    frames = chunk(b"fcTL", control)
    frames += chunk(b"fdAT", struct.pack(">I", 1) + pixels[start + 4 : start + 4 + length])
    head = png_with(chunk(b"acTL", struct.pack(">II", 1, 0)), data=other)
    return head + frames + chunk(b"IEND", b"")


def webp_frame(place: tuple[int, int], screen: tuple[int, int], *, flags: int = 2) -> bytes:
    """An animated WebP whose picture lies at this place of its screen."""
    pixels = save(scene(), "WEBP", quality=90)[12:]
    sizes = (*place, SIZE[0] - 1, SIZE[1] - 1, 100, screen[0] - 1, screen[1] - 1)
    three = [number.to_bytes(3, "little") for number in sizes]
    left, top, width, height, time, across, down = three
    frame = left + top + width + height + time + b"\0" + pixels
    body = b"WEBPVP8X" + struct.pack("<IB3x", 10, flags) + across + down
    body += b"ANIM" + struct.pack("<I", 6) + b"\0\0\xff\xff\0\0"
    body += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_frame(offset: tuple[int, int], screen: tuple[int, int], **options: Any) -> bytes:
    """A GIF whose picture lies at this place of its screen."""
    data = bytearray(save(scene(), "GIF", **options))
    struct.pack_into("<HH", data, 6, *screen)
    place = data.index(b"," + bytes(4))
    struct.pack_into("<HH", data, place + 1, *offset)
    return bytes(data)


def cropped_avif(width: int, height: int, left: int, top: int, *turns: bytes) -> bytes:
    """An AVIF of which a part is to be shown, turned by these boxes."""
    stored = Image.new("RGB", (256, 192), "yellow")
    stored.paste(scene())
    right, down = 2 * left + width - stored.width, 2 * top + height - stored.height
    aperture = struct.pack(">4I", width, 1, height, 1) + struct.pack(">iIiI", right, 2, down, 2)
    return grid([save(stored, "AVIF")], stored.size, box(b"clap", aperture), *turns)


def oriented() -> Iterator[tuple[str, bytes]]:
    for image_format in FORMATS:
        for orientation, turn in STORED.items():
            stored = scene().transpose(turn)
            order = "<" if orientation % 2 else ">"
            block = exif(orientation, order)
            yield (
                f"{image_format} orientation {orientation}",
                save(stored, image_format, exif=block),
            )


def jpegs() -> Iterator[tuple[str, bytes]]:
    plain = save(scene(), "JPEG")
    for mode in ("L", "CMYK"):
        yield f"JPEG {mode}", save(scene(mode), "JPEG")
    for subsampling in ("4:2:0", "4:2:2"):
        yield f"JPEG {subsampling}", save(scene(), "JPEG", subsampling=subsampling)
    yield "JPEG progressive", save(scene(), "JPEG", progressive=True)
    yield "JPEG RGB", save(scene(), "JPEG", keep_rgb=True)
    yield "JPEG profile", save(scene(), "JPEG", icc_profile=wide_profile())
    yield (
        "JPEG two pictures",
        save(scene(), "MPO", append_images=[scene().rotate(90)], save_all=True),
    )
    yield "JPEG L profile", save(scene("L"), "JPEG", icc_profile=linear_profile())
    yield "JPEG profile called sRGB", save(scene(), "JPEG", icc_profile=linear_profile())
    # The tag for the orientation, in place of the one for the camera's name.
    twice = exif(6).replace(struct.pack("<HHI", MAKE, 2, 4), struct.pack("<HHI", ORIENTATION, 3, 1))
    twice = twice.replace(b"Cam\0", struct.pack("<HH", 1, 0))
    yield "JPEG something behind", plain + bytes(1000)
    yield "JPEG fill bytes", plain[:2] + b"\xff" * 1000 + plain[2:]
    for name, body in {
        "Exif junk": (0xE1, b"Exif\0\0junkjunkjunk"),
        "Exif empty": (0xE1, b"Exif\0\0"),
        "Exif short": (0xE1, b"Exif\0\0" + exif(6)[:14]),
        "Exif far": (0xE1, b"Exif\0\0II*\0\xff\xff\xff\x7f"),
        "Exif orientation text": (
            0xE1,
            b"Exif\0\0" + exif(6).replace(b"\x12\x01\x03", b"\x12\x01\x02"),
        ),
        "Exif orientation 9": (0xE1, b"Exif\0\0" + exif(9)),
        "Exif two orientations": (0xE1, b"Exif\0\0" + twice),
        "Exif orientation 0": (0xE1, b"Exif\0\0" + exif(0)),
        "JFIF short": (0xE0, b"JFIF\0"),
        "Adobe short": (0xEE, b"Adobe"),
        "profile junk": (0xE2, b"ICC_PROFILE\0\1\1" + b"junk" * 50),
        "profile short": (0xE2, b"ICC_PROFILE\0"),
        "MPF junk": (0xE2, b"MPF\0junk"),
        "Photoshop junk": (0xED, b"Photoshop 3.0\0" + b"8BIM\xff" * 5),
        "XMP orientation": (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='6'/>"),
        "comment": (0xFE, b"\xff" * 500),
    }.items():
        yield f"JPEG {name}", jpeg_with(segment(*body))


def pngs() -> Iterator[tuple[str, bytes]]:
    for mode in ("1", "L", "LA", "P", "RGBA"):
        yield f"PNG {mode}", save(scene(mode), "PNG")
    deep = bytes(value for value in scene("L").tobytes() for _ in range(2))
    yield "PNG 16 bits", save(Image.frombytes("I;16", SIZE, deep), "PNG")
    clear = scene("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(SIZE))
    yield "PNG half transparent", save(clear, "PNG")
    yield "PNG palette transparent", save(clear.quantize(64), "PNG")
    yield "PNG transparent colour", save(scene(), "PNG", transparency=(200, 60, 50))
    yield "PNG profile", save(scene(), "PNG", icc_profile=wide_profile())
    yield "PNG gamma 1.0", png_with(chunk(b"gAMA", struct.pack(">I", 100_000)))
    yield "PNG gamma of sRGB", png_with(chunk(b"gAMA", struct.pack(">I", 45_455)))
    yield "PNG P3 by numbers", png_with(chunk(b"cICP", bytes([12, 13, 0, 1])))
    yield "PNG BT.2020 by numbers", png_with(chunk(b"cICP", bytes([9, 13, 0, 1])))
    for kind in (b"pHYs", b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"gAMA", b"tIME", b"cHRM"):
        for name, body in {"empty": b"", "junk": b"junkjunkjunk", "zeros": bytes(40)}.items():
            yield f"PNG {kind.decode()} {name}", png_with(chunk(kind, body))
        yield f"PNG {kind.decode()} checksum", png_with(chunk(kind, b"x\0" * 20, checksum=1))
    bomb = zlib.compress(bytes(5_000_000))
    yield "PNG profile of 5 MB", png_with(chunk(b"iCCP", b"p\0\0" + bomb))
    yield "PNG text of 5 MB", png_with(chunk(b"zTXt", b"t\0\0" + bomb))
    yield "PNG 2 bits transparent shade", shades(2, 170)
    yield "PNG 16 bits transparent shade", shades(16, scene("L").tobytes()[0])
    plain, palette = save(scene(), "PNG"), save(scene("P"), "PNG")
    end = chunk(b"IEND", b"")
    for name, late in {
        "transparent colour": chunk(b"tRNS", struct.pack(">3H", 200, 60, 50)),
        "profile": chunk(b"iCCP", b"p\0\0" + zlib.compress(wide_profile())),
        "orientation": chunk(b"eXIf", exif(6)),
    }.items():
        yield f"PNG {name} behind the pixels", plain[:-12] + late + end
    start = palette.index(b"IDAT") - 4
    yield (
        "PNG more alpha than colours",
        palette[:start] + chunk(b"tRNS", bytes(257)) + palette[start:],
    )
    colours = palette.index(b"PLTE")
    length = int.from_bytes(palette[colours - 4 : colours], "big")
    shorter = chunk(b"PLTE", palette[colours + 4 : colours + 4 + length - 3])
    yield (
        "PNG palette without its last colour",
        palette[: colours - 4] + shorter + palette[colours + 8 + length :],
    )
    yield "PNG first frame apart", animated_png(scene())
    yield (
        "PNG first frame smaller than its screen",
        animated_png(scene().resize((96, 64)), (40, 30)),
    )
    yield "PNG without end", save(scene(), "PNG")[:-12]


def others() -> Iterator[tuple[str, bytes]]:
    second = scene().rotate(180)
    clear = scene("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(SIZE))
    for image_format, options in {"WEBP": {"lossless": True}, "AVIF": {}}.items():
        yield f"{image_format} half transparent", save(clear, image_format, **options)
        yield f"{image_format} profile", save(scene(), image_format, icc_profile=wide_profile())
        yield (
            f"{image_format} animated",
            save(scene(), image_format, save_all=True, append_images=[second]),
        )
        whole = save(scene(), image_format, exif=exif(1))
        yield f"{image_format} Exif junk", whole.replace(b"II*\0", b"junk")
    yield "HEIF half transparent", save(clear, "HEIF", quality=90)
    yield "HEIF L", save(scene("L"), "HEIF", quality=90)
    yield "HEIF LA", save(scene("LA"), "HEIF", quality=90)
    yield "WEBP lossy", save(scene(), "WEBP", quality=90)
    yield "WEBP lossy half transparent", save(clear, "WEBP", quality=90)
    avif = save(scene(), "AVIF")
    yield "AVIF cropped", cropped_avif(*SIZE, 0, 0)
    yield "AVIF cropped and mirrored", cropped_avif(*SIZE, 0, 0, box(b"imir", b"\1"))
    for place in ((32, 32), (8, 0), (-2, 0)):
        yield f"AVIF cropped to the screen at {place}", cropped_avif(100, 100, *place)
    yield "AVIF cropped to a larger screen", cropped_avif(300, 192, 0, 0)
    yield "AVIF cropped to a screen without width", cropped_avif(0, 100, 0, 0)
    yield "AVIF P3 by numbers", with_coding_points(avif, 12, 13)
    yield "AVIF 4:2:0", save(scene(), "AVIF", subsampling="4:2:0")
    yield "WEBP smaller than its screen", webp_frame((10, 5), (256, 192))
    unannounced = save(scene(), "WEBP", icc_profile=wide_profile())
    yield "WEBP profile unannounced", unannounced[:20] + b"\0" + unannounced[21:]
    yield "GIF", save(scene(), "GIF")
    yield "GIF animated", save(scene(), "GIF", save_all=True, append_images=[second])
    yield "GIF transparent", save(scene("P"), "GIF", transparency=scene("P").getpixel((0, 0)))
    yield "GIF comment", save(scene(), "GIF", comment=b"x" * 600)
    yield "GIF smaller than its screen", gif_frame((20, 10), (256, 192))
    yield "GIF larger than its screen", gif_frame((0, 0), (100, 100))


TABLE: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    "orientations": oriented,
    "JPEG": jpegs,
    "PNG": pngs,
    "WebP, AVIF, GIF": others,
}


@cache
def all_of_them() -> dict[str, bytes]:
    return {name: data for make in TABLE.values() for name, data in make()}
