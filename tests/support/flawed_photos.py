"""Photos with flaws that browsers put up with, and some that they do not, by name. What is shown is
`scene()`, upright and in its colours."""

import struct
import zlib
from collections.abc import Iterator

from tests.support.odd_photos import (
    STORED,
    animated_png,
    chunk,
    exif,
    jpeg_with,
    linear_profile,
    png_with,
    save,
    scene,
    segment,
)

END = b"\xff\xd9"
SETTINGS = 0x8769


def _exif(*entries: bytes, magic: bytes = b"*\0") -> bytes:
    head = b"II" + magic + struct.pack("<IH", 8, len(entries))
    return head + b"".join(entries) + bytes(4)


def _entry(tag: int, value: int, kind: int = 3) -> bytes:
    return struct.pack("<HHII", tag, kind, 1, value)


TURNED = _entry(0x0112, 6)


def _app1(block: bytes, prefix: bytes = b"Exif\0\0") -> bytes:
    return segment(0xE1, prefix + block)


def _lying_jpegs() -> Iterator[tuple[str, bytes]]:
    """Stored turned, with an orientation that is easily overlooked."""
    many = [_entry(0x9000, 1)] * 1500
    inner = _exif(TURNED)[8:]
    for name, segments in {
        "behind 1500 entries": [_app1(_exif(*many, TURNED))],
        "among the settings": [_app1(_exif(_entry(SETTINGS, 26, kind=4)) + inner)],
        "behind another prefix": [_app1(exif(6), b"Exif\0\xff")],
        "behind an empty one": [_app1(b""), _app1(exif(6))],
    }.items():
        stored = save(scene().transpose(STORED[6]), "JPEG")
        yield f"JPEG Exif {name}", jpeg_with(*segments, data=stored)


def _profile(number: int, count: int, part: bytes) -> bytes:
    return segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + part)


def _unsound_profiles() -> Iterator[tuple[str, bytes]]:
    """Profiles that would make the picture brighter."""
    profile = linear_profile()
    yield "cut", profile[:-1]
    yield "of another white", profile[:68] + bytes(12) + profile[80:]
    yield "of version 5", profile[:8] + b"\5" + profile[9:]
    yield "with a tag beyond its end", profile[:136] + b"\x7f" + profile[137:]


def _jpegs() -> Iterator[tuple[str, bytes]]:
    plain, profile = save(scene(), "JPEG"), linear_profile()
    yield "JPEG Exif of another number", jpeg_with(_app1(_exif(TURNED, magic=b"+\0")))
    yield "JPEG Exif behind the pixels", plain[:-2] + _app1(exif(6)) + END
    yield "JPEG profile behind the pixels", plain[:-2] + _profile(1, 1, profile) + END
    for name, numbers in {
        "from 0": [(0, 2), (1, 2)],
        "of too many": [(1, 3), (2, 3)],
        "of different numbers": [(1, 2), (2, 3)],
        "of one twice": [(1, 2), (1, 2)],
    }.items():
        parts = profile[:200], profile[200:]
        segments = [_profile(*each, part) for each, part in zip(numbers, parts, strict=True)]
        yield f"JPEG profile in pieces {name}", jpeg_with(*segments)
    for name, unsound in _unsound_profiles():
        yield f"JPEG profile {name}", jpeg_with(_profile(1, 1, unsound))


def _pngs() -> Iterator[tuple[str, bytes]]:
    plain, profile = save(scene(), "PNG"), zlib.compress(linear_profile())
    yield "PNG Exif with the prefix of JPEG", png_with(chunk(b"eXIf", b"Exif\0\0" + exif(6)))
    yield "PNG profile without its checksum", png_with(chunk(b"iCCP", b"p\0\0" + profile[:-4]))
    yield "PNG profile without a name", png_with(chunk(b"iCCP", b"\0\0" + profile))
    yield "PNG profile by another method", png_with(chunk(b"iCCP", b"p\0\1" + profile))
    for name, unsound in _unsound_profiles():
        body = b"p\0\0" + zlib.compress(unsound)
        yield f"PNG profile {name}", png_with(chunk(b"iCCP", body))
    yield "PNG with half an end", plain[:-6]
    palette = save(scene("P"), "PNG")
    start = palette.index(b"IDAT") - 4
    late = chunk(b"cICP", bytes([1, 8, 0, 1]))
    yield "PNG numbers behind the palette", palette[:start] + late + palette[start:]
    early = chunk(b"tRNS", bytes(256))
    yield "PNG transparency before the palette", png_with(early, data=palette)
    start = plain.index(b"IDAT") - 4
    length = int.from_bytes(plain[start : start + 4], "big")
    pixels = plain[start + 8 : start + 8 + length]
    for name, pieces in {
        "of their own": [chunk(b"IDAT", pixels[:-1] + bytes([pixels[-1] ^ 1]))],
        "of their last piece": [
            chunk(b"IDAT", pixels[:-4]),
            chunk(b"IDAT", pixels[-4:], checksum=1),
        ],
    }.items():
        body = b"".join(pieces)
        yield f"PNG pixels with a wrong checksum {name}", plain[:start] + body + plain[-12:]


def shown() -> dict[str, bytes]:
    """Of these, a browser shows the scene."""
    return dict([*_lying_jpegs(), *_jpegs(), *_pngs()])


def _not_shown() -> Iterator[tuple[str, bytes]]:
    plain = save(scene(), "JPEG")
    yield "JPEG begun twice", plain[:2] + plain
    yield "JPEG with an unknown segment", jpeg_with(segment(0xF0, b"abcd"))
    yield "JPEG with a segment beyond its end", plain[:20] + b"\xff\xe1\xff\xf0" + plain[20:]
    webp = save(scene(), "WEBP", exif=exif(1))
    at = webp.index(b"EXIF") + 4
    for length in (0, 1, 1000, 0xFFFFFFFF):
        yield f"WEBP Exif of {length} bytes", webp[:at] + struct.pack("<I", length) + webp[at + 4 :]
    png = save(scene(), "PNG")
    yield "PNG with a chunk before its header", png[:8] + chunk(b"gAMA", bytes(4)) + png[8:]
    frames = chunk(b"acTL", struct.pack(">II", 1, 0))
    yield "PNG without its frame", png_with(frames)
    yield "PNG with half a frame", animated_png(scene())[:-200]
    outside = animated_png(scene(), (10, 10))
    yield "PNG with a frame beyond its screen", outside


def not_shown() -> dict[str, bytes]:
    """Of these, a browser shows nothing, or half."""
    return dict(_not_shown())
