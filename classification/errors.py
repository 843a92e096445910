"""The API's error codes, with their HTTP status and message."""

from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.database.errors import is_transient

ERRORS: dict[str, tuple[HTTPStatus, str | Promise]] = {
    "invalid_request": (HTTPStatus.BAD_REQUEST, _("The request is not valid.")),
    "invalid_hash": (HTTPStatus.BAD_REQUEST, _("image_hash must be 64 hexadecimal digits.")),
    "hash_mismatch": (
        HTTPStatus.BAD_REQUEST,
        _("image_hash is not the SHA-256 of the uploaded bytes."),
    ),
    "invalid_image": (HTTPStatus.BAD_REQUEST, _("The image is corrupt or unreadable.")),
    "unsupported_format": (HTTPStatus.BAD_REQUEST, _("This image format is not supported.")),
    "image_dimensions": (
        HTTPStatus.BAD_REQUEST,
        _("The image is too small, too large or too narrow."),
    ),
    "image_too_large": (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        _("The file exceeds the size limit."),
    ),
    "quota_exceeded": (
        HTTPStatus.TOO_MANY_REQUESTS,
        _("Today's limit of new photos or spending has been reached."),
    ),
    "image_rejected": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        _("The model's content inspection refused this photo."),
    ),
    "model_bad_reply": (HTTPStatus.BAD_GATEWAY, _("The model did not return a usable answer.")),
    "model_unavailable": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The model is temporarily unavailable."),
    ),
    "model_busy": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The model is busy. Please try again shortly."),
    ),
    "model_not_configured": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The model is not configured correctly. Please contact the operator."),
    ),
    "model_timeout": (HTTPStatus.GATEWAY_TIMEOUT, _("The model did not answer in time.")),
    "database_unavailable": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The database is temporarily unavailable."),
    ),
    "statistics_behind": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The statistics are being updated. Please try again shortly."),
    ),
    "internal_error": (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        _("Something went wrong on the server."),
    ),
}
# Retry-After in seconds for errors that do not bring their own.
RETRY_AFTER = {
    "model_unavailable": 10,
    "model_busy": 2,
    "database_unavailable": 5,
    "statistics_behind": 10,
}


class ServiceError(Exception):
    """A request failed with an error `code` of ERRORS; `retry_after` is in seconds."""

    def __init__(self, code: str, *, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.message = ERRORS[code]
        self.retry_after = retry_after or RETRY_AFTER.get(code)


def error_code(error: BaseException) -> str:
    """The error code that an exception is reported and logged as."""
    if isinstance(error, ServiceError):
        return error.code
    return "database_unavailable" if is_transient(error) else "internal_error"
