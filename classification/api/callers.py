"""Who sent a request: its id, the user it names, and its address."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from classification.api.serializers import UserIdField
from classification.outcomes import Caller
from classifier_project.middleware import request_id_var


def caller_of(request: Request, user_id: str | None = None) -> Caller:
    """The caller; the header X-User-ID wins over the body's `user_id`.

    Raises ValidationError for a header of more than 64 characters.
    """
    return Caller(
        request_id=request_id_var.get(),
        user_id=_header_user_id(request) or user_id or None,
        ip_address=client_address(request.META),
    )


def _header_user_id(request: Request) -> str:
    value = request.META.get("HTTP_X_USER_ID", "")
    if not value:
        return ""
    try:
        # WSGI hands a header's bytes on as Latin-1; what apps send is UTF-8.
        text = value.encode("latin-1").decode()
    except UnicodeError:
        text = value
    try:
        return UserIdField().run_validation(text) or ""
    except ValidationError as error:
        raise ValidationError({"X-User-ID": error.detail}) from None


def client_address(meta: Mapping[str, Any]) -> str | None:
    """The sender's address. What X-Forwarded-For says is believed only as far back as it was
    written by TRUSTED_PROXIES: anyone can send that header."""
    remote: str = meta.get("REMOTE_ADDR", "")
    if not settings.TRUSTED_PROXIES:
        return remote[:45] or None
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "")
    for hop in [remote, *reversed(forwarded.split(","))]:
        address = _address(hop)
        if address is None:
            break
        remote = str(address)
        if not any(address in network for network in settings.TRUSTED_PROXIES):
            break
    return remote[:45] or None


def content_length(meta: Mapping[str, Any]) -> int:
    """The announced bytes of a request's body; 0 where none, or nonsense, is announced."""
    length: str = meta.get("CONTENT_LENGTH") or ""
    return int(length) if length.isdecimal() else 0


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
