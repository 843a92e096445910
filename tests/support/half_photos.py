"""Photos of which a browser shows only a part, and others that look as if, but are whole. All are
of `detailed()`."""

import random
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Any

from PIL import Image

from tests.support.heif_boxes import content_of, grid
from tests.support.odd_photos import chunk, exif, png_with, save, scene, segment

SIZE = (480, 360)
# Of an interlaced PNG: the first column and row, and the steps between them.
PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
END = b"\xff\xd9"
PARTS = (0.1, 0.3, 0.6, 0.8)


def detailed() -> Image.Image:
    """A picture whose details take as many bytes in each part."""
    noise = random.Random(0).randbytes(SIZE[0] * SIZE[1])  # noqa: S311
    return Image.blend(scene().resize(SIZE), Image.frombytes("L", SIZE, noise).convert("RGB"), 0.3)


def partly_flat() -> Image.Image:
    """A picture whose lower part is white, which takes nearly no bytes."""
    image = detailed()
    image.paste("white", (0, SIZE[1] // 3, *SIZE))
    return image


def padded(data: bytes, part: float) -> bytes:
    """As downloads are that stopped."""
    return data[: int(len(data) * part)].ljust(len(data), b"\0")


def webp_with(data: bytes, pixels: bytes) -> bytes:
    """A WebP of one chunk with these pixels."""
    body = b"WEBP" + data[12:16] + struct.pack("<I", len(pixels)) + pixels + bytes(len(pixels) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@cache
def _jpegs() -> dict[str, bytes]:
    options: dict[str, dict[str, Any]] = {
        "RGB": {},
        "4:2:0": {"subsampling": "4:2:0"},
        "restarts": {"restart_marker_rows": 1},
        "progressive": {"progressive": True},
    }
    pictures = {name: save(detailed(), "JPEG", **each) for name, each in options.items()}
    return pictures | {mode: save(detailed().convert(mode), "JPEG") for mode in ("L", "CMYK")}


def _half_jpegs() -> Iterator[tuple[str, bytes]]:
    for name, data in _jpegs().items():
        start = data.index(b"\xff\xda")
        # What follows the first scan of a progressive picture only adds details.
        end = data.index(b"\xff\xda", start + 1) if name == "progressive" else len(data)
        for part in PARTS:
            yield f"JPEG {name} ended at {part}", data[: int(start + (end - start) * part)] + END
            if name != "progressive":
                yield f"JPEG {name} padded and ended at {part}", padded(data[:-2], part) + END
    data = _jpegs()["restarts"]
    for number in (2, 6):
        mark = data.index(bytes([0xFF, 0xD0 + number]))
        yield f"JPEG ended before restart {number}", data[:mark] + END
        yield f"JPEG ended behind restart {number}", data[: mark + 2] + END
        yield f"JPEG without all from restart {number}", data[:mark]


def _whole_jpegs() -> Iterator[tuple[str, bytes]]:
    yield from ((f"JPEG {name}", data) for name, data in _jpegs().items() if name != "L")
    data = _jpegs()["progressive"]
    scans = [at for at in range(len(data)) if data.startswith(b"\xff\xda", at)]
    yield "JPEG progressive without the last scans", data[: scans[5]] + END
    for number in (3, 4, 8):
        middle = (scans[number] + scans[number + 1]) // 2
        yield f"JPEG progressive cut in scan {number}", data[:middle]
        yield f"JPEG progressive ended in scan {number}", data[:middle] + END
        yield f"JPEG progressive padded in scan {number}", data[:middle].ljust(len(data), b"\0")


def _rows(image: Image.Image) -> list[bytes]:
    """What a PNG compresses, unfiltered."""
    pixels, row = image.tobytes(), len(image.tobytes()) // image.height
    return [b"\0" + pixels[at : at + row] for at in range(0, len(pixels), row)]


def _interlaced(image: Image.Image) -> list[bytes]:
    """The rows of the seven pictures of which an interlaced PNG consists."""
    rows = []
    for column, row, across, down in PASSES:
        size = len(range(column, SIZE[0], across)), len(range(row, SIZE[1], down))
        part = image.transform(
            size,
            Image.Transform.AFFINE,
            (across, 0, column - across / 2 + 0.5, 0, down, row - down / 2 + 0.5),
        )
        rows += _rows(part)
    return rows


def png_of(
    *pieces: bytes, mode: str = "RGB", is_interlaced: bool = False, between: bytes = b""
) -> bytes:
    """A PNG with these compressed pixels, in a chunk each."""
    colour = {"L": 0, "RGB": 2, "RGBA": 6}[mode]
    header = struct.pack(">IIBBBBB", *SIZE, 8, colour, 0, 0, is_interlaced)
    pixels = between.join(chunk(b"IDAT", piece) for piece in pieces)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def _half_pngs() -> Iterator[tuple[str, bytes]]:
    pixels = zlib.compress(b"".join(_rows(detailed())))
    half = len(pixels) // 2
    for part in PARTS:
        yield f"PNG padded {part}", padded(png_of(pixels), part)
        for mode in ("L", "RGB", "RGBA"):
            rows = _rows(detailed().convert(mode))
            there = zlib.compress(b"".join(rows[: int(len(rows) * part)]))
            yield f"PNG {mode} with {part} of its rows", png_of(there, mode=mode)
    rows = _interlaced(detailed())
    there = zlib.compress(b"".join(rows[:40]))
    yield "PNG interlaced with some of its rows", png_of(there, is_interlaced=True)
    yield "PNG that ends early", png_of(pixels[:half])
    text = chunk(b"tEXt", b"a\0b")
    yield "PNG interrupted", png_of(pixels[:half], pixels[half:], between=text)
    yield "PNG ended in between", png_of(pixels[:half], pixels[half:], between=chunk(b"IEND", b""))


def _whole_pngs() -> Iterator[tuple[str, bytes]]:
    pixels = zlib.compress(b"".join(_rows(detailed())))
    half = len(pixels) // 2
    text = chunk(b"tEXt", b"a\0b")
    yield "PNG", png_of(pixels)
    yield "PNG in two pieces", png_of(pixels[:half], pixels[half:])
    yield "PNG interrupted by its checksum", png_of(pixels[:-4], pixels[-4:], between=text)
    yield "PNG with pixels behind its end", png_of(pixels, pixels, between=text)
    rows = _rows(detailed())
    yield "PNG with more rows", png_of(zlib.compress(b"".join(rows + rows)))
    rows = _interlaced(detailed())
    interlaced = png_of(zlib.compress(b"".join(rows)), is_interlaced=True)
    yield "PNG interlaced", interlaced
    for part in PARTS[2:]:
        yield f"PNG interlaced cut at {part}", interlaced[: int(len(interlaced) * part)]
        there = zlib.compress(b"".join(rows[: int(len(rows) * part)]))
        yield f"PNG interlaced with {part} of its rows", png_of(there, is_interlaced=True)
    yield "PNG of a wrong checksum", png_of(pixels[:-4] + b"abcd")


def lossless_jpeg() -> bytes:
    """A grey JPEG of the lossless process: the difference of each sample from the one before it, by
    the number of its bits."""
    samples, width = detailed().convert("L").tobytes(), SIZE[0]
    bits = []
    for at, sample in enumerate(samples):
        before = samples[at - 1] if at % width else samples[at - width] if at else 128
        length = abs(sample - before).bit_length()
        value = sample - before if sample >= before else sample - before + (1 << length) - 1
        bits.append(f"{length:05b}" + (f"{value:0{length}b}" if length else ""))
    stream = "".join(bits)
    stream += "1" * (-len(stream) % 8)
    scan = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\0")
    table = b"\0" + bytes([0, 0, 0, 0, 16, *[0] * 11]) + bytes(range(16))
    frame = struct.pack(">BHHB", 8, *SIZE[::-1], 1) + b"\1\x11\0"
    parts = segment(0xC4, table) + segment(0xC3, frame) + segment(0xDA, b"\1\1\0\1\0\0")
    return b"\xff\xd8" + parts + scan + END


def _not_understood() -> Iterator[tuple[str, bytes]]:
    yield "JPEG lossless", lossless_jpeg()
    plain = _plain("PNG")
    for kind in (b"ABCD", b"CgBI", b"AbCD"):
        yield f"PNG with {kind.decode()}", png_with(chunk(kind, b"?"), data=plain)


def _understood() -> Iterator[tuple[str, bytes]]:
    plain = _plain("PNG")
    yield "PNG with an optional chunk", png_with(chunk(b"aBCD", b"?"), data=plain)
    yield "PNG with ABCD behind its pixels", plain[:-12] + chunk(b"ABCD", b"?") + plain[-12:]


@cache
def _webps() -> dict[str, bytes]:
    return {
        "lossy": save(detailed(), "WEBP", quality=80),
        "lossless": save(detailed(), "WEBP", lossless=True),
        "with metadata": save(detailed(), "WEBP", quality=80, exif=exif(1)),
        "animated": save(
            detailed(), "WEBP", quality=80, save_all=True, append_images=[Image.new("RGB", SIZE)]
        ),
    }


def _half_webps() -> Iterator[tuple[str, bytes]]:
    for name, data in _webps().items():
        for part in PARTS:
            yield f"WEBP {name} padded {part}", padded(data, part)
        for missing in (1, 2, 3, 100):
            yield f"WEBP {name} without {missing}", data[:-missing]
        longer = struct.pack("<I", len(data) + 2)
        yield f"WEBP {name} of more bytes", data[:4] + longer + data[8:]
        shorter = struct.pack("<I", len(data) // 2)
        yield f"WEBP {name} of fewer bytes", data[:4] + shorter + data[8:]
    data = _webps()["lossy"]
    (length,) = struct.unpack_from("<I", data, 16)
    yield "WEBP of more pixels", data[:16] + struct.pack("<I", length + 2) + data[20:]


def _whole_webps() -> Iterator[tuple[str, bytes]]:
    for name, data in _webps().items():
        yield f"WEBP {name}", data
        yield f"WEBP {name} with zeros behind", data + bytes(1000)
    for name in ("lossy", "lossless"):
        data = _webps()[name]
        yield f"WEBP {name} with zeros behind its pixels", webp_with(data, data[20:] + bytes(1000))


def _flat_webps() -> Iterator[tuple[str, bytes]]:
    for name, options in {
        "lossy": {"quality": 80, "method": 0},
        "lossless": {"lossless": True, "method": 0},
    }.items():
        yield f"WEBP {name} flat", save(partly_flat(), "WEBP", **options)


@cache
def _plain(image_format: str) -> bytes:
    return save(detailed(), image_format)


@cache
def tiles(image_format: str) -> bytes:
    """Two pictures put together to one, as phones write large ones."""
    middle = SIZE[0] // 2
    left, right = (detailed().crop((x, 0, x + middle, SIZE[1])) for x in (0, middle))
    return grid([save(left, image_format), save(right, image_format)], (middle, SIZE[1]))


def _half_heifs() -> Iterator[tuple[str, bytes]]:
    for image_format in ("HEIF", "AVIF"):
        plain, tiled = _plain(image_format), tiles(image_format)
        for part in PARTS:
            yield f"{image_format} padded {part}", padded(plain, part)
            yield f"{image_format} tiles padded {part}", padded(tiled, part)


def _whole_heifs() -> Iterator[tuple[str, bytes]]:
    for image_format in ("HEIF", "AVIF"):
        data = _plain(image_format)
        yield f"{image_format}", data
        yield f"{image_format} tiles", tiles(image_format)
        yield f"{image_format} with zeros behind", data + bytes(1000)
        pixels = struct.pack(">I", len(content_of(data, b"mdat")))
        more = struct.pack(">I", len(content_of(data, b"mdat")) + 1000)
        at = data.index(pixels, data.index(b"iloc"), data.index(b"iinf"))
        yield (
            f"{image_format} with zeros behind its pixels",
            data[:at] + more + data[at + 4 :] + bytes(1000),
        )


@cache
def half() -> dict[str, bytes]:
    """Of these, a browser shows a part, or nothing."""
    kinds = (_half_jpegs, _half_pngs, _half_webps, _half_heifs, _not_understood)
    return dict(chain.from_iterable(kind() for kind in kinds))


@cache
def whole() -> dict[str, bytes]:
    """These a browser shows whole."""
    kinds = (_whole_jpegs, _whole_pngs, _whole_webps, _whole_heifs, _understood)
    return dict(chain.from_iterable(kind() for kind in kinds))


@cache
def flat() -> dict[str, bytes]:
    """Whole ones that show `partly_flat()`, and end in zeros that their decoders need."""
    return dict(_flat_webps())
