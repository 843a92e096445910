"""Identifies the format of a file by its first bytes, so that each parser gets only its own
format."""

import re
from types import MappingProxyType

from classification.image_decoding.errors import ImageError

# Format -> its names in ALLOWED_IMAGE_FORMATS. An MPO is a JPEG followed by more pictures, as many
# phones write them.
FORMAT_WORDS = MappingProxyType(
    {
        "JPEG": {"jpg", "jpeg"},
        "MPO": {"jpg", "jpeg", "mpo"},
        "PNG": {"png"},
        "WEBP": {"webp"},
        "GIF": {"gif"},
        "HEIF": {"heic", "heif"},
        "AVIF": {"avif"},
    }
)

AVIF_BRANDS = {b"avif", b"avis"}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
# Brands of containers that do not identify the codec.
OTHER_HEIF_BRANDS = {
    b"mif1",
    b"mif2",
    b"msf1",
    b"miaf",
    b"1pic",
    b"jpeg",
    b"j2ki",
    b"vvic",
    b"evbi",
}

# Formats of browsers or cameras that this service does not support.
_UNSUPPORTED = re.compile(
    rb"""
    BM.{4}\0\0\0\0 | II\*\0 | MM\0\* | II\+\0 | MM\0\+  # BMP, TIFF
    | \0\0[\1\2]\0 | 8BPS | \xff\x0a                    # ICO and CUR, PSD, JPEG XL
    | \0\0\0\x0c(JXL[ ]|jP[ ]{2}) | \xff\x4f\xff\x51    # JPEG XL, JPEG 2000
    | qoif | \#\?RADIANCE | P[1-7]\s | icns             # QOI, HDR, PNM, ICNS
    | %!PS | \xc5\xd0\xd3\xc6 | .{4}ftypcrx             # EPS, CR3
    """,
    re.VERBOSE | re.DOTALL,
)
_SVG_NAMESPACE = b"http://www.w3.org/2000/svg"
SVG_HEAD_BYTES = 4096


def identify(data: bytes) -> str:
    """JPEG, PNG, WEBP, GIF, HEIF or AVIF.

    Raises ImageError: unsupported_format for other image formats, invalid_image for anything else.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[4:8] == b"ftyp" and (found := _by_brand(data)):
        return found
    if _UNSUPPORTED.match(data) or _is_svg(data):
        raise ImageError("unsupported_format")
    raise ImageError("invalid_image")


def _by_brand(data: bytes) -> str | None:
    length = int.from_bytes(data[:4], "big")
    brands = {data[8:12]} | {data[i : i + 4] for i in range(16, min(length, 256), 4)}
    if data[8:12] not in HEIC_BRANDS and brands & AVIF_BRANDS:
        return "AVIF"
    if brands & HEIC_BRANDS:
        return "HEIF"
    if brands & OTHER_HEIF_BRANDS:
        # The codec is named by the items, near the beginning.
        head = data[:SVG_HEAD_BYTES]
        if b"hvc1" in head:
            return "HEIF"
        if b"av01" in head:
            return "AVIF"
        raise ImageError("unsupported_format")
    return None


def _is_svg(data: bytes) -> bool:
    head = data[:SVG_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") and b"<svg" in head and _SVG_NAMESPACE in head
