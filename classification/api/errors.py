"""The one shape of every error of the API."""

import logging
import math
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.functional import Promise
from rest_framework import exceptions
from rest_framework.response import Response

from classification.errors import Refusal
from classifier_project import error_pages
from classifier_project.middleware import request_id_var

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


def error_body(code: str, message: str | Promise) -> dict[str, Any]:
    """The body of a refusal; `message` is a sentence for a person."""
    return {
        "success": False,
        "error": str(message),
        "error_code": code,
        "request_id": request_id_var.get(),
    }


def refusal_of(error: Exception) -> Refusal:
    """What a client is told of an exception that is not DRF's own."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("The database is away: %s", error)
        return Refusal("database_unavailable")
    if isinstance(error, SuspiciousOperation):
        return Refusal("invalid_request")
    logger.exception("A defect", exc_info=error)
    return Refusal("internal_error")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's hook: any exception of a view as a response in the contract's shape."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _drf_response(error)
    refusal = refusal_of(error)
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
    """The first message in DRF's nested errors, and the field it is about."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        return _first_detail(inner, "" if name == "non_field_errors" else str(name))
    if isinstance(detail, list):
        return _first_detail(detail[0], field)
    return field, detail


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> Any:
    """Django's handler400."""
    if not _is_api(request):
        return error_pages.page(request, HTTPStatus.BAD_REQUEST)
    refusal = Refusal("invalid_request")
    return JsonResponse(error_body(refusal.code, refusal.message), status=400)


def not_found(request: HttpRequest, exception: Exception) -> Any:
    """Django's handler404."""
    if not _is_api(request):
        return error_pages.page(request, HTTPStatus.NOT_FOUND)
    return JsonResponse(
        error_body("not_found", str(exceptions.NotFound.default_detail)),
        status=HTTPStatus.NOT_FOUND,
    )


def server_error(request: HttpRequest) -> Any:
    """Django's handler500, for what fails outside a view."""
    if not _is_api(request):
        return error_pages.server_error(request)
    refusal = Refusal("internal_error")
    return JsonResponse(error_body(refusal.code, refusal.message), status=refusal.status)
