"""JPEG: a sequence of segments, with the compressed picture between them."""

import re
import struct
from dataclasses import dataclass, field

from classification.image_decoding import exif
from classification.image_decoding.containers.source import Source
from classification.image_decoding.errors import ImageError
from classification.image_decoding.limits import MAX_PARTS

EOI, SOS, DQT, DHT, DRI, DAC, DNL = 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xCC, 0xDC
RST0 = 0xD0
APP0, APP1, APP2, APP14 = 0xE0, 0xE1, 0xE2, 0xEE
# Without the lossless and hierarchical ones, which no browser shows.
FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
PROGRESSIVE = {0xC2, 0xCA}
STANDALONE = {0x01, *range(RST0, RST0 + 8)}
TABLES = {DQT, DHT, DRI, DAC}
METADATA = {*range(0xE0, 0xF0), 0xFE, DNL}
JFIF = b"\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
END = b"\xff\xd9"
# The zeros of a flat area at the end of a picture, or of a download that stopped.
PADDING = bytes(16)
# Another way to complete a truncated file: decoders fill in zeros, these are ones, behind any
# restart marker that a decoder may wait for.
OTHER_END = b"".join(b"\xff\x00" * 64 + bytes([0xFF, RST0 + n]) for n in range(8)) + END
MAX_ICC_BYTES = 4 * 1024 * 1024
# Decoders hold the coefficients of the whole picture, two bytes each, unless there is only one
# scan.
COEFFICIENT_BYTES = 2
# Per pixel on one core: for the first scan, and for each further pass over all coefficients.
SECONDS_PER_PIXEL = 10e-9
SECONDS_PER_SCAN_PIXEL = 1.3e-9
# Progressive photos have about ten scans. However small a scan is, it costs a pass over the whole
# picture, and a decoder cannot be interrupted.
MAX_SCANS = 100

_MARKER = re.compile(rb"\xff([\x01-\xfe])")
_MARKER_IN_SCAN = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")


@dataclass(slots=True)
class _Walk:
    """What has been found so far."""

    parts: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    frame: bytes = b""
    scans: int = 0
    is_one_scan: bool = True
    has_jfif: bool = False
    is_mpo: bool = False
    facts: exif.CameraFacts | None = None
    profile: list[bytes] = field(default_factory=list)
    # The components of the latest scan if it is the first of theirs, and those of all such scans
    # before it.
    begun: bytes = b""
    outlined: set[int] = field(default_factory=set)

    @property
    def is_outlined(self) -> bool:
        """Whether a progressive picture can be seen as a whole before its latest scan."""
        components = self.frame[7::3]
        return self.frame[0] in PROGRESSIVE and self.outlined.issuperset(components)


def read(data: bytes) -> Source:
    """The first picture of a file. Raises ImageError when there is none, or too many parts."""
    walk = _Walk()
    position = 2
    for _ in range(MAX_PARTS):
        marker = _MARKER.search(data, position)
        if marker is None or marker[1][0] == EOI:
            return _source(walk, is_open_ended=marker is None)
        kind, position = marker[1][0], marker.end()
        if kind in STANDALONE:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        if length < 2:
            # Browsers skip a length that makes no sense.
            position += 2
            continue
        body = data[position + 2 : position + length]
        if len(body) < length - 2:
            return _source(walk, is_open_ended=True)
        position += length
        _take(walk, kind, body)
        if kind == SOS:
            end = _MARKER_IN_SCAN.search(data, position)
            walk.parts.append(data[position : end.start() if end else len(data)])
            position = end.start() if end else len(data)
    raise ImageError("invalid_image")


def _take(walk: _Walk, kind: int, body: bytes) -> None:
    if kind in FRAMES:
        if walk.frame:
            raise ImageError("invalid_image")
        walk.frame = bytes([kind]) + body
    elif kind == SOS:
        _take_scan(walk, body)
    elif kind not in TABLES and not _is_adobe(kind, body):
        # Browsers know all there is to know before they show anything.
        if not walk.scans:
            _take_metadata(walk, kind, body)
        return
    walk.parts.append(struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body)


def _take_scan(walk: _Walk, body: bytes) -> None:
    walk.scans += 1
    walk.is_one_scan = walk.scans == 1 and body[:1] == walk.frame[6:7]
    components = body[1 : 1 + 2 * body[0] : 2]
    first, _, bits = body[-3:]
    walk.outlined.update(walk.begun)
    walk.begun = components if first == 0 and bits >> 4 == 0 else b""


def _is_adobe(kind: int, body: bytes) -> bool:
    """Whether this is Adobe's segment on the colour transform."""
    return kind == APP14 and body.startswith(b"Adobe") and len(body) >= 12


def _take_metadata(walk: _Walk, kind: int, body: bytes) -> None:
    if kind == APP0 and body.startswith(b"JFIF\0"):
        walk.has_jfif = True
    elif kind == APP1 and body.startswith(b"Exif\0") and body[6:] and walk.facts is None:
        walk.facts = exif.read(body[len(exif.PREFIX) :])
    elif kind == APP2 and body.startswith(b"MPF\0"):
        walk.is_mpo = True
    elif kind == APP2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
        walk.profile.append(body[12:])
    elif kind not in METADATA:
        raise ImageError


def _source(walk: _Walk, *, is_open_ended: bool) -> Source:
    if len(walk.frame) < 10 or not walk.scans or walk.scans > MAX_SCANS:
        raise ImageError("invalid_image")
    _, height, width = struct.unpack_from(">BHH", walk.frame, 1)
    facts = walk.facts or exif.CameraFacts()
    if walk.has_jfif:
        walk.parts.insert(1, JFIF)
    pixels = width * height
    memory, seconds = pixels / 2, pixels * SECONDS_PER_PIXEL
    if not walk.is_one_scan:
        memory += _samples(walk.frame, pixels) * COEFFICIENT_BYTES
        seconds += pixels * SECONDS_PER_SCAN_PIXEL * walk.scans
    picture = b"".join(walk.parts)
    if is_open_ended and picture.endswith(b"\0"):
        # A download that stopped is often padded with zeros, which decode to something. The first
        # may belong to the byte before it.
        picture = picture.rstrip(b"\0") + b"\0"
    return Source(
        "MPO" if walk.is_mpo else "JPEG",
        picture,
        width,
        height,
        memory=memory,
        seconds=seconds,
        orientation=facts.orientation,
        has_camera_data=facts.has_camera_data,
        icc=_profile(walk.profile),
        is_open_ended=is_open_ended,
        is_outlined=walk.is_outlined,
    )


def _profile(segments: list[bytes]) -> bytes | None:
    """The profile in these segments, each of which begins with its number and how many there are;
    None if they do not fit together."""
    count = segments[0][1] if segments else 0
    if count == 1:
        segments = segments[:1]
    numbers = sorted(segment[0] for segment in segments)
    if numbers != [*range(1, count + 1)] or any(segment[1] != count for segment in segments):
        return None
    profile = b"".join(segment[2:] for segment in sorted(segments))
    return profile if 0 < len(profile) <= MAX_ICC_BYTES else None


def _samples(frame: bytes, pixels: int) -> float:
    """The number of samples of all components; subsampled ones have fewer than there are pixels."""
    factors = [(byte >> 4) * (byte & 15) for byte in frame[8::3]]
    return pixels * sum(factors) / max(*factors, 1)
