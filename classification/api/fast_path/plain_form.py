"""Parses a multipart form with one photo, if it is written the way most clients write it."""

import re
from typing import NamedTuple

FORM_TYPE = re.compile(r'multipart/form-data; ?boundary=("?)([0-9A-Za-z_.-]{1,70})\1')
# A part with other headers, or with a name that needs decoding, is left to Django's parser.
PART = re.compile(
    rb'(?i:Content-Disposition): form-data; name="(image|image_hash|user_id)"'
    rb'(; filename="[0-9A-Za-z_. -]{0,99}[0-9A-Za-z_-]")?\r\n'
    rb"(?:(?i:Content-Type): [a-z]+/[a-z0-9.+-]+(?:; ?charset=[0-9A-Za-z-]+)?\r\n)?"
    rb"(?:(?i:Content-Length): [0-9]+\r\n)?\r\n"
)
MAX_HEADER_BYTES = 1024


class PlainForm(NamedTuple):
    """The photo, as a view of the body's bytes, and the values of the text fields."""

    image: memoryview
    fields: dict[str, str]


def read(content_type: str, body: bytes) -> PlainForm | None:
    """The form in a body; None for one that is not plain, which Django's parser may still
    accept."""
    form_type = FORM_TYPE.fullmatch(content_type)
    if form_type is None:
        return None
    parts = _parts(body, b"--" + form_type[2].encode())
    image = parts.pop("image", None)
    if not image:
        return None
    try:
        return PlainForm(image, {name: bytes(text).decode("ascii") for name, text in parts.items()})
    except UnicodeDecodeError:
        return None


def _parts(body: bytes, delimiter: bytes) -> dict[str, memoryview]:
    """The content of each part by its name; empty if a name occurs twice or anything is unusual."""
    found: dict[str, memoryview] = {}
    view, position = memoryview(body), len(delimiter)
    if not body.startswith(delimiter):
        return {}
    while body.startswith(b"\r\n", position):
        header = PART.match(body, position + 2, position + 2 + MAX_HEADER_BYTES)
        if header is None:
            return {}
        name, is_file, start = header[1].decode(), header[2] is not None, header.end()
        # Django ends a part at these bytes even in the middle of a line.
        end = body.find(delimiter, start)
        ends_in_line = end - 2 >= start and body.startswith(b"\r\n", end - 2)
        # The photo is a file, and no other field is one.
        if not ends_in_line or name in found or is_file is not (name == "image"):
            return {}
        found[name] = view[start : end - 2]
        position = end + len(delimiter)
    return found if body[position:] in (b"--", b"--\r\n") else {}
