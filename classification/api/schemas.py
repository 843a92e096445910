"""What each endpoint answers, for the API documentation."""

from collections import defaultdict
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from classification.api.serializers import (
    BatchCheckCacheRequest,
    BatchClassifyRequest,
    CheckCacheRequest,
    ClassifyRequest,
)
from classification.categories import CATEGORIES
from classification.errors import ERRORS, RETRY_AFTER

REQUEST_ID = "req_1795500000_0123456789ab"
TIMESTAMP = "2026-11-24T18:30:00.123456+08:00"
CLASSIFICATION = {"category": "pets", "confidence": 0.97, "description": "一只橘猫趴在窗台上"}

USER_ID = OpenApiParameter(
    "X-User-ID",
    str,
    OpenApiParameter.HEADER,
    description="A device or user id of up to 64 characters; wins over user_id in the body.",
)


class ErrorBody(serializers.Serializer[Any]):
    """A refusal."""

    success = serializers.BooleanField(default=False)
    error = serializers.CharField(help_text="A sentence for a person.")
    error_code = serializers.CharField()
    request_id = serializers.CharField()


class ClassificationBody(serializers.Serializer[Any]):
    category = serializers.ChoiceField([category.key for category in CATEGORIES])
    confidence = serializers.FloatField(min_value=0, max_value=1)
    description = serializers.CharField(allow_null=True)


class Stamped(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    request_id = serializers.CharField()
    timestamp = serializers.DateTimeField()


class CheckCacheBody(Stamped):
    cached = serializers.BooleanField()
    data = ClassificationBody(allow_null=True)
    from_cache = serializers.BooleanField()
    message = serializers.CharField(required=False, help_text="Only when the photo is unknown.")


class ClassifyBody(Stamped):
    data = ClassificationBody()
    from_cache = serializers.BooleanField()
    source = serializers.ChoiceField(["cache", "llm", "local", "none"])
    degraded = serializers.BooleanField(
        required=False, help_text="true when the answer stands in for a failed model call."
    )
    processing_time_ms = serializers.IntegerField()


class BatchCheckCacheItem(serializers.Serializer[Any]):
    image_hash = serializers.CharField()
    cached = serializers.BooleanField()
    data = ClassificationBody(allow_null=True)


class BatchCheckCacheBody(Stamped):
    total = serializers.IntegerField()
    cached_count = serializers.IntegerField()
    items = BatchCheckCacheItem(many=True)


class BatchClassifyItem(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    filename = serializers.CharField()
    success = serializers.BooleanField()
    data = ClassificationBody(allow_null=True)
    error = serializers.CharField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)
    from_cache = serializers.BooleanField()
    source = serializers.ChoiceField(["cache", "llm", "local", "none"], allow_null=True)
    degraded = serializers.BooleanField(required=False)
    processing_time_ms = serializers.IntegerField()


class BatchClassifyBody(Stamped):
    total = serializers.IntegerField()
    success_count = serializers.IntegerField()
    fail_count = serializers.IntegerField()
    items = BatchClassifyItem(many=True)
    total_processing_time_ms = serializers.IntegerField()


class LiveBody(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["alive"])
    request_id = serializers.CharField()
    timestamp = serializers.DateTimeField()


class HealthBody(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["healthy", "unhealthy"])
    request_id = serializers.CharField()
    timestamp = serializers.DateTimeField()
    database = serializers.ChoiceField(["connected", "disconnected"])
    model_api = serializers.ChoiceField(["available", "not_configured", "failing"])
    log_rows_waiting = serializers.IntegerField()
    log_rows_dropped = serializers.IntegerField()


def error_responses(*codes: str) -> dict[int, OpenApiResponse]:
    """The documented refusals with these codes of errors.ERRORS, by status."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in codes:
        by_status[ERRORS[code][0].value].append(code)
    return {
        status: OpenApiResponse(
            ErrorBody, description=", ".join(group), examples=[_error_example(c) for c in group]
        )
        for status, group in by_status.items()
    }


def _error_example(code: str) -> OpenApiExample:
    retry = f"Retry-After: {RETRY_AFTER[code]}" if code in RETRY_AFTER else ""
    value = {
        "success": False,
        "error": str(ERRORS[code][1]),
        "error_code": code,
        "request_id": REQUEST_ID,
    }
    return OpenApiExample(code, value=value, description=retry)


def framework_errors(**codes: int) -> dict[int, OpenApiResponse]:
    """The documented refusals of the framework itself, as code=status."""
    return {status: OpenApiResponse(ErrorBody, description=code) for code, status in codes.items()}


STAMP = {"request_id": REQUEST_ID, "timestamp": TIMESTAMP}
COMMON = ("invalid_request", "database_unavailable", "internal_error")
MEDIA_TYPE = framework_errors(unsupported_media_type=415)
MODEL_FAILURES = (
    "image_rejected",
    "model_bad_reply",
    "model_unavailable",
    "model_busy",
    "model_not_configured",
    "model_timeout",
)
PHOTO_REFUSALS = (
    "invalid_hash",
    "hash_mismatch",
    "invalid_image",
    "unsupported_format",
    "image_dimensions",
    "image_too_large",
)

CHECK_CACHE = extend_schema(
    operation_id="check_cache",
    summary="Ask whether a photo is known, by its hash",
    request=CheckCacheRequest,
    parameters=[USER_ID],
    responses={
        200: OpenApiResponse(
            CheckCacheBody,
            examples=[
                OpenApiExample(
                    "known",
                    value={
                        "success": True,
                        "cached": True,
                        "data": CLASSIFICATION,
                        "from_cache": True,
                        **STAMP,
                    },
                ),
                OpenApiExample(
                    "unknown",
                    value={
                        "success": True,
                        "cached": False,
                        "data": None,
                        "from_cache": False,
                        "message": "This photo is unknown. Please upload it.",
                        **STAMP,
                    },
                ),
            ],
        ),
        **error_responses("invalid_hash", *COMMON),
        **MEDIA_TYPE,
    },
)

CLASSIFY = extend_schema(
    operation_id="classify",
    summary="Classify a photo",
    request={"multipart/form-data": ClassifyRequest},
    parameters=[USER_ID],
    responses={
        200: OpenApiResponse(
            ClassifyBody,
            examples=[
                OpenApiExample(
                    "new photo",
                    value={
                        "success": True,
                        "data": CLASSIFICATION,
                        "from_cache": False,
                        "source": "llm",
                        "processing_time_ms": 1840,
                        **STAMP,
                    },
                )
            ],
        ),
        **error_responses(*PHOTO_REFUSALS, *MODEL_FAILURES, *COMMON),
        **MEDIA_TYPE,
    },
)

BATCH_CHECK_CACHE = extend_schema(
    operation_id="batch_check_cache",
    summary="Ask for up to 100 photos at once whether they are known",
    request=BatchCheckCacheRequest,
    parameters=[USER_ID],
    responses={
        200: OpenApiResponse(
            BatchCheckCacheBody,
            examples=[
                OpenApiExample(
                    "one of two is known",
                    value={
                        "success": True,
                        "total": 2,
                        "cached_count": 1,
                        "items": [
                            {"image_hash": "0" * 64, "cached": True, "data": CLASSIFICATION},
                            {"image_hash": "1" * 64, "cached": False, "data": None},
                        ],
                        **STAMP,
                    },
                )
            ],
        ),
        **error_responses("invalid_hash", *COMMON),
        **MEDIA_TYPE,
    },
)

BATCH = extend_schema(
    operation_id="classify_batch",
    summary="Classify up to 20 photos at once",
    description="One photo that is refused spoils no other: see success and error_code of each.",
    request={"multipart/form-data": BatchClassifyRequest},
    parameters=[USER_ID],
    responses={
        200: OpenApiResponse(
            BatchClassifyBody,
            examples=[
                OpenApiExample(
                    "one of two is refused",
                    value={
                        "success": True,
                        "total": 2,
                        "success_count": 1,
                        "fail_count": 1,
                        "items": [
                            {
                                "index": 0,
                                "filename": "cat.jpg",
                                "success": True,
                                "data": CLASSIFICATION,
                                "error": None,
                                "error_code": None,
                                "from_cache": False,
                                "source": "llm",
                                "processing_time_ms": 1840,
                            },
                            {
                                "index": 1,
                                "filename": "notes.txt",
                                "success": False,
                                "data": None,
                                "error": "The file is not a whole, readable image.",
                                "error_code": "invalid_image",
                                "from_cache": False,
                                "source": None,
                                "processing_time_ms": 1,
                            },
                        ],
                        "total_processing_time_ms": 1842,
                        **STAMP,
                    },
                )
            ],
        ),
        **error_responses("image_too_large", *COMMON),
        **MEDIA_TYPE,
    },
)

LIVE = extend_schema(
    operation_id="live",
    summary="Whether this process answers at all",
    description="Asks neither the database nor the model: what a supervisor restarts by.",
    responses={200: LiveBody},
    auth=[],
)
HEALTH = extend_schema(
    operation_id="health",
    summary="Whether the service can answer",
    responses={200: HealthBody, 503: HealthBody},
    auth=[],
)
