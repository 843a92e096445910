"""What the API takes in."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from classification.photos import HASH

MAX_HASHES = 100
MAX_PHOTOS = 20


@extend_schema_field({"type": "string", "pattern": "^[0-9a-fA-F]{64}$"})
class HashField(serializers.Field[str, Any, str, Any]):
    """A SHA-256 in hexadecimal digits, given on in lower case."""

    default_error_messages = {"invalid_hash": _("image_hash must be 64 hexadecimal digits.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not HASH.fullmatch(data.strip()):
            self.fail("invalid_hash")
        return data.strip().lower()


class UserIdField(serializers.CharField):
    """A device or user id; an empty one counts as none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_null=True, allow_blank=True, max_length=64, **kwargs)


class CheckCacheRequest(serializers.Serializer[Any]):
    image_hash = HashField(help_text="SHA-256 of the exact bytes that would be uploaded.")
    user_id = UserIdField()


class ClassifyRequest(serializers.Serializer[Any]):
    image = serializers.FileField(allow_empty_file=True, help_text="The photo's bytes.")
    image_hash = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="The client's own SHA-256 of these bytes, refused if it is another.",
    )
    user_id = UserIdField()


class BatchCheckCacheRequest(serializers.Serializer[Any]):
    image_hashes = serializers.ListField(child=HashField(), min_length=1, max_length=MAX_HASHES)
    user_id = UserIdField()


class HashesField(serializers.JSONField):
    """DRF's JSON, which lets a text nested by the thousand through as a defect of ours."""

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
        required=False, allow_null=True, help_text="A JSON list: a hash, or null, for each image."
    )
    user_id = UserIdField()

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give each image its hash, None where there is none."""
        hashes = data.get("image_hashes")
        if hashes is None:
            hashes = [None] * len(data["images"])
        if not isinstance(hashes, list) or not all(isinstance(h, str | None) for h in hashes):
            raise serializers.ValidationError({"image_hashes": _("This must be a list of hashes.")})
        if len(hashes) != len(data["images"]):
            raise serializers.ValidationError(
                {"image_hashes": _("There must be as many hashes as images.")}
            )
        return data | {"image_hashes": hashes}
