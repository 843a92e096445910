"""The one shape of every error of the API."""

import logging
import math
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from classification.errors import ServiceError
from core.database.errors import is_transient
from core.request_id import request_id_var

logger = logging.getLogger(__name__)

DRF_CODES = {
    HTTPStatus.BAD_REQUEST: "invalid_request",
    HTTPStatus.UNAUTHORIZED: "not_authenticated",
    HTTPStatus.FORBIDDEN: "permission_denied",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.NOT_ACCEPTABLE: "invalid_request",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    HTTPStatus.TOO_MANY_REQUESTS: "throttled",
}


class ErrorResponse(serializers.Serializer[Any]):
    """Documents what error_body() returns."""

    success = serializers.BooleanField(default=False)
    error = serializers.CharField(help_text=_("A message for people."))
    error_code = serializers.CharField()
    request_id = serializers.CharField()


def error_body(code: str, message: str | Promise) -> dict[str, Any]:
    """The body of an error response; `message` is meant for people."""
    return {
        "success": False,
        "error": str(message),
        "error_code": code,
        "request_id": request_id_var.get(),
    }


def service_error_of(error: Exception) -> ServiceError:
    """The ServiceError that clients get for any exception that is not DRF's; logs defects and
    database failures."""
    if isinstance(error, ServiceError):
        return error
    if is_transient(error):
        logger.error("The database is unavailable: %s", error)
        return ServiceError("database_unavailable")
    if isinstance(error, SuspiciousOperation):
        return ServiceError("invalid_request")
    logger.exception("A defect", exc_info=error)
    return ServiceError("internal_error")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: turns any exception of a view into a response of the one shape."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _drf_response(error)
    refusal = service_error_of(error)
    response = Response(error_body(refusal.code, refusal.message), status=refusal.status)
    if refusal.retry_after:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def _drf_response(error: exceptions.APIException) -> Response:
    response = Response(_drf_body(error), status=error.status_code)
    if challenge := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(math.ceil(wait))
    return response


def _drf_body(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        field, detail = _first_detail(error.detail)
        code = "invalid_hash" if detail.code == "invalid_hash" else "invalid_request"
        return error_body(code, f"{field}: {detail}" if field else str(detail))
    code = DRF_CODES.get(HTTPStatus(error.status_code), "invalid_request")
    return error_body(code, str(error.detail))


def _first_detail(detail: Any, field: str = "") -> tuple[str, exceptions.ErrorDetail]:
    """The field and the first message of DRF's nested error details."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        return _first_detail(inner, "" if name == "non_field_errors" else str(name))
    if isinstance(detail, list):
        return _first_detail(detail[0], field)
    return field, detail
