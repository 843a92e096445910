"""The documentation of each endpoint, for drf-spectacular."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions

from classification.api.errors import ErrorResponse
from classification.api.responses import (
    BatchCheckCacheResponse,
    BatchClassifyResponse,
    CheckCacheResponse,
    ClassifyResponse,
    HealthResponse,
    LiveResponse,
)
from classification.api.serializers import (
    BatchCheckCacheRequest,
    BatchClassifyRequest,
    CheckCacheRequest,
    ClassifyRequest,
)
from classification.errors import ERRORS, RETRY_AFTER

REQUEST_ID = "req_1795500000_0123456789ab"
TIMESTAMP = "2026-11-24T18:30:00.123456+08:00"
CLASSIFICATION = {"category": "pets", "confidence": 0.97, "description": "一只橘猫趴在窗台上"}

USER_ID = OpenApiParameter(
    "X-User-ID",
    str,
    OpenApiParameter.HEADER,
    description=_(
        "A device or user id in ASCII; takes precedence over user_id in the body, which may be "
        "any text. Any other id is refused or, without the deployment's nginx, counts as none: "
        "send it in the body. Ids longer than 64 characters are stored as their SHA-256."
    ),
)


# DRF's own errors, as it raises them.
FRAMEWORK_ERRORS: dict[str, Callable[[], exceptions.APIException]] = {
    "not_authenticated": exceptions.NotAuthenticated,
    "permission_denied": exceptions.PermissionDenied,
    "not_found": exceptions.NotFound,
    "unsupported_media_type": partial(exceptions.UnsupportedMediaType, "text/plain"),
    "throttled": partial(exceptions.Throttled, wait=37),
}
# Retry-After in seconds; a day's limit ends with the day of TIMESTAMP.
RETRIES = {**RETRY_AFTER, "throttled": 37, "quota_exceeded": 19_800}


def error_responses(*codes: str) -> dict[int, OpenApiResponse]:
    """The documented error responses with these codes, of errors.ERRORS or of DRF, by status."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in codes:
        by_status[_status(code)].append(code)
    return {
        status: OpenApiResponse(
            ErrorResponse,
            description=", ".join(group),
            examples=[_error_example(c) for c in group],
        )
        for status, group in by_status.items()
    }


def _status(code: str) -> int:
    return FRAMEWORK_ERRORS[code]().status_code if code in FRAMEWORK_ERRORS else ERRORS[code][0]


def _framework_message(code: str) -> str:
    return str(FRAMEWORK_ERRORS[code]().detail)


def _error_example(code: str) -> OpenApiExample:
    # DRF translates when it raises, so its message is made with the schema.
    message = lazy(_framework_message, str)(code) if code in FRAMEWORK_ERRORS else ERRORS[code][1]
    value = {"success": False, "error": message, "error_code": code, "request_id": REQUEST_ID}
    retry = f"Retry-After: {RETRIES[code]}" if code in RETRIES else ""
    return OpenApiExample(code, value=value, description=retry)


STAMP = {"request_id": REQUEST_ID, "timestamp": TIMESTAMP}
COMMON = ("invalid_request", "database_unavailable", "internal_error")
FRAMEWORK = ("not_authenticated", "unsupported_media_type", "throttled")
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
    summary=_("Look up a photo by its hash"),
    request=CheckCacheRequest,
    parameters=[USER_ID],
    responses={
        200: OpenApiResponse(
            CheckCacheResponse,
            examples=[
                OpenApiExample(
                    "known",
                    summary=_("Known photo"),
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
                    summary=_("Unknown photo"),
                    value={
                        "success": True,
                        "cached": False,
                        "data": None,
                        "from_cache": False,
                        "message": "This photo is not cached. Please upload it.",
                        **STAMP,
                    },
                ),
            ],
        ),
        **error_responses("invalid_hash", *COMMON, *FRAMEWORK),
    },
)

CLASSIFY = extend_schema(
    operation_id="classify",
    summary=_("Classify a photo"),
    request={"multipart/form-data": ClassifyRequest},
    parameters=[USER_ID],
    responses={
        200: OpenApiResponse(
            ClassifyResponse,
            examples=[
                OpenApiExample(
                    "new photo",
                    summary=_("New photo"),
                    value={
                        "success": True,
                        "data": CLASSIFICATION,
                        "from_cache": False,
                        "source": "llm",
                        "image_hash": "0" * 64,
                        "processing_time_ms": 1840,
                        **STAMP,
                    },
                )
            ],
        ),
        **error_responses(*PHOTO_REFUSALS, *MODEL_FAILURES, "quota_exceeded", *COMMON, *FRAMEWORK),
    },
)

BATCH_CHECK_CACHE = extend_schema(
    operation_id="batch_check_cache",
    summary=_("Look up to 100 photos by their hashes"),
    request=BatchCheckCacheRequest,
    parameters=[USER_ID],
    responses={
        200: OpenApiResponse(
            BatchCheckCacheResponse,
            examples=[
                OpenApiExample(
                    "one of two is known",
                    summary=_("One of two is known"),
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
        **error_responses("invalid_hash", *COMMON, *FRAMEWORK),
    },
)

BATCH = extend_schema(
    operation_id="classify_batch",
    summary=_("Classify up to 20 photos at once"),
    description=_(
        "A rejected photo does not affect the others: see success and error_code of each item."
    ),
    request={"multipart/form-data": BatchClassifyRequest},
    parameters=[USER_ID],
    responses={
        200: OpenApiResponse(
            BatchClassifyResponse,
            examples=[
                OpenApiExample(
                    "one of two is refused",
                    summary=_("One of two is refused"),
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
                                "image_hash": "0" * 64,
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
                                "image_hash": "1" * 64,
                                "processing_time_ms": 1,
                            },
                        ],
                        "total_processing_time_ms": 1842,
                        **STAMP,
                    },
                )
            ],
        ),
        **error_responses("image_too_large", *COMMON, *FRAMEWORK),
    },
)

LIVE = extend_schema(
    operation_id="live",
    summary=_("Whether this process answers at all"),
    description=_(
        "Checks neither the database nor the model: for supervisors that restart a hung process."
    ),
    responses={200: LiveResponse},
    auth=[],
)
HEALTH = extend_schema(
    operation_id="health",
    summary=_("Whether the service can answer"),
    responses={200: HealthResponse, 503: HealthResponse},
    auth=[],
)
