"""Tells HEIC and AVIF pictures from those whose end was replaced by zeros, as in downloads that
stopped: decoders take the zeros for pixels."""

from collections.abc import Iterable

from classification.image_decoding.errors import ImageError
from classification.image_decoding.limits import MAX_PARTS

# Neither codec writes so many zeros at the end of a picture: HEVC has no three in a row
# anywhere, and AV1 ends with a bit that is set.
ZEROS = bytes(3)
# Behind an AV1 picture, the header of a unit that decoders skip; in it, details like any.
OTHER_PADDING = b"\x78"

Extent = tuple[int, int]


def check_hevc(data: bytes, pictures: Iterable[Iterable[Extent]]) -> None:
    """Raise ImageError if one of these HEVC pictures, in pieces of the file, is empty or ends in
    zeros."""
    steps = MAX_PARTS
    for pieces in pictures:
        picture = b"".join(data[start:end] for start, end in pieces)
        position = 0
        while position == 0 or position + 4 <= len(picture):
            steps -= 1
            length = int.from_bytes(picture[position : position + 4], "big")
            if not length and position:
                break  # zeros behind the picture
            end = position + 4 + length
            if not length or picture.endswith(ZEROS, position + 4, end) or not steps:
                raise ImageError
            position = end


def av1_with_other_padding(data: bytes, pictures: list[Extent]) -> bytes:
    """The file with something else in place of the zeros at the end of its AV1 pictures, of which
    each reaches from one byte to before another; nothing if none ends so. A decoder that has no
    need of the zeros makes the same of both."""
    padded = [(start, end) for start, end in pictures if data.endswith(ZEROS, start, end)]
    if not padded:
        return b""
    other = bytearray(data)
    for start, end in padded:
        zeros = len(data[start:end]) - len(data[start:end].rstrip(b"\0"))
        end = min(end, len(data))
        other[end - zeros : end] = OTHER_PADDING * zeros
    return bytes(other)
