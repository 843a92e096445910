"""Builds the ClientInfo of a request: request id, app, user id and address."""

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from classification.api.authentication import identity_of
from classification.api.serializers import UserIdField
from classification.pipeline.request_log import ClientInfo
from clients.quotas import Requester
from core.client_address import client_address
from core.request_id import request_id_var


def client_info(request: Request, user_id: str | None = None) -> ClientInfo:
    """The client that sent a request. The user of a token takes precedence over the header
    X-User-ID, and that over the body's `user_id`.

    Raises ValidationError for a header that is not text.
    """
    identity = identity_of(request)
    user_id = identity.token_user or _header_user_id(request) or user_id or None
    return ClientInfo(
        request_id=request_id_var.get(),
        requester=Requester(identity.app, user_id, client_address(request.META)),
        has_token=identity.token_user is not None,
        is_staff_page=comes_from_staff_page(request),
    )


def comes_from_staff_page(request: Request) -> bool:
    """Whether it was authenticated by a staff session rather than a key or a token."""
    return bool(request.user.is_staff) and request.auth is None


def _header_user_id(request: Request) -> str:
    value = request.META.get("HTTP_X_USER_ID", "")
    if not value:
        return ""
    try:
        # WSGI decodes headers as Latin-1; apps send UTF-8.
        text = value.encode("latin-1").decode()
    except UnicodeError:
        text = value
    try:
        return UserIdField().run_validation(text) or ""
    except ValidationError as error:
        raise ValidationError({"X-User-ID": error.detail}) from None
