"""Serializers that document and render the API's responses.

Error responses are in errors.py. The fast path renders some of the same responses itself.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import SkipField

from classification.categories import CATEGORIES
from classification.choices import Source
from core import wall_clock
from core.request_id import request_id_var

UNKNOWN_PHOTO = _("This photo is not cached. Please upload it.")


class StampedResponse(serializers.Serializer[Any]):
    """Adds `request_id` and `timestamp`, which come from the request, not the instance."""

    request_id = serializers.CharField(read_only=True)
    timestamp = serializers.DateTimeField(read_only=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return super().to_representation(instance) | stamp()


class SuccessResponse(StampedResponse):
    success = serializers.BooleanField(read_only=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {"success": True} | super().to_representation(instance)


def stamp() -> dict[str, str]:
    """The members `request_id` and `timestamp` that every response has."""
    return {
        "request_id": request_id_var.get(),
        "timestamp": wall_clock.now().isoformat(),
    }


class DegradedField(serializers.BooleanField):
    """A boolean that is left out unless it is true."""

    def get_attribute(self, instance: Any) -> Any:
        value = super().get_attribute(instance)
        if not value:
            raise SkipField
        return value


class ClassificationData(serializers.Serializer[Any]):
    category = serializers.ChoiceField([category.key for category in CATEGORIES])
    confidence = serializers.FloatField(min_value=0, max_value=1)
    description = serializers.CharField(allow_null=True)


class CheckCacheResponse(SuccessResponse):
    """Renders a dict of `cached`, `data` and optionally `message`."""

    cached = serializers.BooleanField()
    data = ClassificationData(allow_null=True)
    from_cache = serializers.BooleanField(source="cached")
    message = serializers.CharField(
        required=False, help_text=_("Only present if the photo is unknown.")
    )


class ClassifyResponse(SuccessResponse):
    """Renders the `result` of a photo and `processing_time_ms`."""

    data = ClassificationData(source="result.classification")
    from_cache = serializers.BooleanField(source="result.from_cache")
    source = serializers.ChoiceField(Source.choices, source="result.source")
    degraded = DegradedField(
        source="result.is_degraded",
        required=False,
        help_text=_("true when a model call failed and this is the fallback answer."),
    )
    image_hash = serializers.CharField(
        source="result.image_hash", help_text=_("SHA-256 of the uploaded bytes.")
    )
    processing_time_ms = serializers.IntegerField()


class BatchCheckCacheItem(serializers.Serializer[Any]):
    image_hash = serializers.CharField(allow_null=True)
    cached = serializers.BooleanField()
    data = ClassificationData(allow_null=True)
    error_code = serializers.CharField(
        required=False, help_text=_("invalid_hash; only present if this is not a valid hash.")
    )


class BatchCheckCacheResponse(SuccessResponse):
    total = serializers.IntegerField()
    cached_count = serializers.IntegerField()
    items = BatchCheckCacheItem(many=True)


class BatchClassifyItem(serializers.Serializer[Any]):
    """Renders the `result` of a photo, or its `error`; the other one is None."""

    index = serializers.IntegerField()
    filename = serializers.CharField()
    success = serializers.BooleanField()
    data = ClassificationData(source="result.classification", allow_null=True)
    error = serializers.CharField(source="error.message", allow_null=True)
    error_code = serializers.CharField(source="error.code", allow_null=True)
    from_cache = serializers.BooleanField(source="result.from_cache", default=False)
    source = serializers.ChoiceField(Source.choices, source="result.source", allow_null=True)
    degraded = DegradedField(source="result.is_degraded", required=False)
    image_hash = serializers.CharField(help_text=_("SHA-256 of the uploaded bytes."))
    processing_time_ms = serializers.IntegerField()


class BatchClassifyResponse(SuccessResponse):
    total = serializers.IntegerField()
    success_count = serializers.IntegerField()
    fail_count = serializers.IntegerField()
    items = BatchClassifyItem(many=True)
    total_processing_time_ms = serializers.IntegerField()


class LiveResponse(StampedResponse):
    status = serializers.ChoiceField(["alive"])


class HealthResponse(StampedResponse):
    status = serializers.ChoiceField(["healthy", "unhealthy"])
    database = serializers.ChoiceField(["connected", "disconnected"])
    model_api = serializers.ChoiceField(["available", "not_configured", "failing"])
    degraded = serializers.BooleanField(
        help_text=_("true while another model answers instead, or log rows cannot be written.")
    )
    log_rows_waiting = serializers.IntegerField()
    log_rows_dropped = serializers.IntegerField()
