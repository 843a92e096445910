"""Serializers that validate the API's requests."""

import hashlib
from typing import Any, TypeGuard

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from classification.images import HASH

MAX_HASHES = 100
MAX_PHOTOS = 20
MAX_USER_ID = 64  # characters
# Characters of an invalid hash that the response repeats.
MAX_ECHO = 200


def is_hash(text: str | None) -> TypeGuard[str]:
    return bool(text and HASH.fullmatch(text))


@extend_schema_field({"type": "string", "pattern": "^[0-9a-fA-F]{64}$"})
class HashField(serializers.Field[str, Any, str, Any]):
    """A SHA-256 in hexadecimal digits, converted to lower case."""

    default_error_messages = {"invalid_hash": _("image_hash must be 64 hexadecimal digits.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not HASH.fullmatch(data.strip()):
            self.fail("invalid_hash")
        return data.strip().lower()


class UserIdField(serializers.CharField):
    """A device or user id; an empty one counts as missing unless it is required, and a long one
    becomes its SHA-256."""

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        is_optional = not required
        super().__init__(
            required=required, allow_null=is_optional, allow_blank=is_optional, **kwargs
        )

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        too_long = len(text) > MAX_USER_ID
        return hashlib.sha256(text.encode()).hexdigest() if too_long else text


class CheckCacheRequest(serializers.Serializer[Any]):
    image_hash = HashField(help_text=_("SHA-256 of the exact bytes that would be uploaded."))
    user_id = UserIdField()


class ClassifyRequest(serializers.Serializer[Any]):
    image = serializers.FileField(allow_empty_file=True, help_text=_("The photo's bytes."))
    image_hash = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text=_(
            "The client's own SHA-256: of these bytes, or of the original file that they are a "
            "copy of."
        ),
    )
    user_id = UserIdField()


def as_text(data: Any) -> str:
    """A JSON value in place of a hash, as text; "" for lists and objects, which may be nested
    deeply."""
    return str(data) if isinstance(data, str | int | float) else ""


@extend_schema_field(OpenApiTypes.STR)
class AnyHashField(serializers.Field[str, Any, str, Any]):
    """A hash in lower case, or whatever was sent instead, for the item's own error."""

    def to_internal_value(self, data: Any) -> str:
        text = as_text(data).strip()
        return text.lower() if HASH.fullmatch(text) else text[:MAX_ECHO]


class BatchCheckCacheRequest(serializers.Serializer[Any]):
    image_hashes = serializers.ListField(
        child=AnyHashField(allow_null=True), min_length=1, max_length=MAX_HASHES
    )
    user_id = UserIdField()


class HashesField(serializers.JSONField):
    """DRF's JSONField, with a validation error instead of a 500 for JSON nested thousands deep."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except RecursionError:
            self.fail("invalid")


class BatchClassifyRequest(serializers.Serializer[Any]):
    images = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True), min_length=1, max_length=MAX_PHOTOS
    )
    image_hashes = HashesField(
        required=False,
        allow_null=True,
        help_text=_("A JSON list: a hash, or null, for each image."),
    )
    user_id = UserIdField()

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Pair each image with its hash, or None; surplus hashes are dropped."""
        hashes = data.get("image_hashes")
        if not isinstance(hashes, list | None):
            raise serializers.ValidationError({"image_hashes": _("This must be a list of hashes.")})
        given = [None if each in (None, "") else as_text(each) or "?" for each in hashes or []]
        missing = len(data["images"]) - len(given)
        return data | {"image_hashes": [*given, *[None] * missing][: len(data["images"])]}
