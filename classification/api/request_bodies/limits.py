"""The maximum length of request bodies by path, known before any of it is read."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from classification.api.serializers import MAX_PHOTOS

MEGABYTE = 1024 * 1024
# Allowance for a form's other fields and boundaries.
FORM_BYTES = 64 * 1024
JSON_BYTES = 64 * 1024
# The staff's forms; the longest field is a prompt.
PAGE_BYTES = MEGABYTE
# The provider's bill for a month.
FILES = {"/bill/check/": 5 * MEGABYTE}
PHOTOS = {
    "/api/v1/classify": 1,
    "/api/v1/classify/batch": MAX_PHOTOS,
    "/test/again/": 1,
    "/prompt/trial/": 1,
}


def max_body_bytes(path: str) -> int:
    """The most bytes that a body sent to `path` may have."""
    if path in PHOTOS:
        return PHOTOS[path] * settings.MAX_IMAGE_SIZE_MB * MEGABYTE + FORM_BYTES
    if path in FILES:
        return FILES[path]
    return JSON_BYTES if path.startswith("/api/") else PAGE_BYTES


def content_length(meta: Mapping[str, Any]) -> int:
    """The Content-Length of a request in bytes; 0 if it is missing or invalid."""
    length: str = meta.get("CONTENT_LENGTH") or ""
    return int(length) if length.isdecimal() else 0
