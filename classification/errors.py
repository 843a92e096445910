"""The refusals of the service: the contract's error codes, their HTTP status and sentence."""

from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ERRORS: dict[str, tuple[HTTPStatus, str | Promise]] = {
    "invalid_request": (HTTPStatus.BAD_REQUEST, _("The request is not valid.")),
    "invalid_hash": (HTTPStatus.BAD_REQUEST, _("image_hash must be 64 hexadecimal digits.")),
    "hash_mismatch": (
        HTTPStatus.BAD_REQUEST,
        _("image_hash is not the SHA-256 of the uploaded bytes."),
    ),
    "invalid_image": (HTTPStatus.BAD_REQUEST, _("The file is not a whole, readable image.")),
    "unsupported_format": (HTTPStatus.BAD_REQUEST, _("This image format is not supported.")),
    "image_dimensions": (
        HTTPStatus.BAD_REQUEST,
        _("The image is too small, too large or too narrow."),
    ),
    "image_too_large": (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        _("The file is larger than allowed."),
    ),
    "image_rejected": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        _("The model's content inspection refused this photo."),
    ),
    "model_bad_reply": (HTTPStatus.BAD_GATEWAY, _("The model gave no usable answer.")),
    "model_unavailable": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The model is not available at the moment."),
    ),
    "model_busy": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The model is busy. Please try again shortly."),
    ),
    "model_not_configured": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The model is not set up correctly. Please tell the operator."),
    ),
    "model_timeout": (HTTPStatus.GATEWAY_TIMEOUT, _("The model did not answer in time.")),
    "database_unavailable": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The database is not available at the moment."),
    ),
    "statistics_behind": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The figures are being added up. Please try again shortly."),
    ),
    "internal_error": (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        _("Something went wrong on the server."),
    ),
}
# Seconds a client is told to wait when the failure itself does not say.
RETRY_AFTER = {
    "model_unavailable": 10,
    "model_busy": 2,
    "database_unavailable": 5,
    "statistics_behind": 10,
}


class Refusal(Exception):
    """A request that is not answered, for the reason `code` of ERRORS.

    `retry_after` is in seconds; `message` replaces the code's own sentence.
    """

    def __init__(
        self, code: str, message: str | Promise | None = None, *, retry_after: int | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status, sentence = ERRORS[code]
        self.message = message or sentence
        self.retry_after = retry_after or RETRY_AFTER.get(code)


def error_code(error: Exception) -> str:
    """The code under which an exception is answered and logged."""
    if isinstance(error, Refusal):
        return error.code
    is_away = isinstance(error, OperationalError | InterfaceError)
    return "database_unavailable" if is_away else "internal_error"
