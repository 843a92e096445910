"""How long the body of a request may be, told before any of it is read."""

from django.conf import settings

from classification.api.serializers import MAX_PHOTOS

MEGABYTE = 1024 * 1024
# What a form's other fields and boundaries may add to the photos.
FORM_BYTES = 64 * 1024
JSON_BYTES = 64 * 1024
# The staff's forms: the longest is a prompt.
PAGE_BYTES = MEGABYTE
PHOTOS = {
    "/api/v1/classify": 1,
    "/api/v1/classify/batch": MAX_PHOTOS,
    "/test/again/": 1,
    "/prompt/trial/": 1,
}


def max_body_bytes(path: str) -> int:
    """The longest body that the address takes."""
    if path in PHOTOS:
        return PHOTOS[path] * settings.MAX_IMAGE_SIZE_MB * MEGABYTE + FORM_BYTES
    return JSON_BYTES if path.startswith("/api/") else PAGE_BYTES
