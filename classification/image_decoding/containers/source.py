"""What a file says about its picture before the picture is decoded."""

from dataclasses import dataclass
from typing import NamedTuple


class CodingPoints(NamedTuple):
    """Coding-independent code points of ITU-T H.273; the value 2 means unspecified."""

    primaries: int
    transfer: int


# The x and y of white, red, green and blue.
Chromaticities = tuple[float, ...]


@dataclass(slots=True)
class Source:
    """A picture that has not been decoded. `data` is what the decoder gets: without metadata where
    the format allows it, so that a defect there never makes the pixels unreadable. `width` and
    `height` are as stored, before `orientation` (EXIF's, 1 to 8) turns them.

    `memory` (bytes) and `seconds` (CPU time) are what decoding is expected to take.
    """

    format: str
    data: bytes
    width: int
    height: int
    memory: float
    seconds: float
    orientation: int = 1
    has_camera_data: bool = False
    icc: bytes | None = None
    coding_points: CodingPoints | None = None
    # GIF and PNG: the position of the first frame on the screen of `width` by `height`.
    place: tuple[int, int] = (0, 0)
    # HEIC and AVIF: whether the decoder rotates the picture itself.
    is_turned: bool = False
    # PNG: the gamma its samples were encoded with.
    gamma: float | None = None
    chromaticities: Chromaticities | None = None
    # JPEG: whether the end marker is missing; and whether all can be seen, only in less detail,
    # whatever its last scan lacks.
    is_open_ended: bool = False
    is_outlined: bool = False
    # WebP whose pixels end in zeros: the same with a few zeros fewer, and with hardly any.
    with_less_padding: tuple[bytes, ...] = ()
    # AVIF: the size of the part that is shown, from the top left corner; none if all is.
    clean_size: tuple[int, int] | None = None
    # AVIF whose pixels end in zeros: the same with something else there.
    with_other_padding: bytes = b""
