"""Repairs the part headers of a multipart body before Django parses it."""

import re
from io import BufferedIOBase
from typing import IO

from django.utils.http import parse_header_parameters

# What Django allows for the headers of a part.
MAX_HEADER_BYTES = 16 * 1024
CHUNK_BYTES = 64 * 1024
HEADER_END = b"\r\n\r\n"
_ENCODED_NAME = re.compile(r";\s*filename\*\s*=[^;]*", re.IGNORECASE)


class ReadablePartHeaders(BufferedIOBase):
    """A stream over a multipart body with every part's headers converted to UTF-8.

    Django skips headers in other encodings, and the file with them. Apps on older Chinese systems
    send file names in GBK. `length` is the number of bytes read so far.
    """

    def __init__(self, body: IO[bytes], boundary: bytes) -> None:
        self._body = body
        self._delimiter = b"--" + boundary + b"\r\n"
        self._pending = b""
        self._is_at_end = False
        self.length = 0

    def read(self, size: int | None = -1) -> bytes:
        """About `size` bytes, sometimes more; b"" only at the end."""
        while not self._is_at_end:
            data = self._body.read(CHUNK_BYTES if not size or size < 0 else size)
            self._is_at_end = not data
            self.length += len(data)
            if ready := self._take_ready(self._pending + data):
                return ready
        return b""

    def _take_ready(self, data: bytes) -> bytes:
        """The part of the data that is complete; the rest stays pending until more is read."""
        ready: list[bytes] = []
        position = 0
        while (found := data.find(self._delimiter, position)) >= 0:
            start = found + len(self._delimiter)
            end = data.find(HEADER_END, start, start + MAX_HEADER_BYTES)
            if end < 0 and not self._is_at_end and len(data) < start + MAX_HEADER_BYTES:
                self._pending = data[found:]
                return b"".join([*ready, data[position:found]])
            ready.append(data[position:start])
            position = start
            if end >= 0:
                ready.append(_readable(data[start:end]))
                position = end
        # A delimiter may begin at the end of this chunk.
        kept = 0 if self._is_at_end else len(self._delimiter) - 1
        cut = max(len(data) - kept, position)
        self._pending = data[cut:]
        return b"".join([*ready, data[position:cut]])


def _readable(headers: bytes) -> bytes:
    lines = _text(headers).split("\r\n")
    return "\r\n".join(map(_readable_line, lines)).encode()


def _text(headers: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return headers.decode(encoding)
        except UnicodeDecodeError:
            continue
    return headers.decode("latin-1")


def _readable_line(line: str) -> str:
    """The line, with a plain file name in place of one that cannot be decoded."""
    try:
        parse_header_parameters(line)
    except ValueError:
        return _ENCODED_NAME.sub("", line) + '; filename="photo"'
    return line
