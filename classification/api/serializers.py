"""What the API takes in."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

HASH = re.compile(r"[0-9a-fA-F]{64}")
MAX_HASHES = 100
MAX_PHOTOS = 20


class HashField(serializers.CharField):
    """A SHA-256 in hexadecimal digits, given on in lower case."""

    default_error_messages = {"invalid_hash": _("image_hash must be 64 hexadecimal digits.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not HASH.fullmatch(data.strip()):
            self.fail("invalid_hash")
        return data.strip().lower()


class UserIdField(serializers.CharField):
    """A device or user id; an empty one counts as none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False, allow_null=True, allow_blank=True, max_length=64, **kwargs
        )


class CheckCacheRequest(serializers.Serializer[Any]):
    image_hash = HashField(help_text="SHA-256 of the exact bytes that would be uploaded.")
    user_id = UserIdField()


class ClassifyRequest(serializers.Serializer[Any]):
    image = serializers.FileField(allow_empty_file=True, help_text="The photo's bytes.")
    image_hash = HashField(required=False, allow_blank=True, allow_null=True)
    user_id = UserIdField()
