"""Recognises plain requests, and identifies their sender."""

import functools
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http.request import split_domain_port, validate_host

from classification.api.request_bodies.limits import content_length
from classification.api.serializers import MAX_USER_ID
from clients import identity, throttle
from clients.identity import Identity, InvalidCredential

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

JSON_TYPES = ("application/json", "application/json; charset=utf-8")
# Headers that only Django handles.
NOT_PLAIN = {"HTTP_ORIGIN", "HTTP_COOKIE", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING"}


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and the like are not JSON, and DRF rejects them


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


def plain_json(environ: "WSGIEnvironment", max_bytes: int) -> dict[str, Any] | None:
    """The JSON object in the body of a plain request; None for any other. Django can read the body
    again."""
    length = content_length(environ)
    if (
        environ.get("CONTENT_TYPE") not in JSON_TYPES
        or not 0 < length <= max_bytes
        or not is_plain(environ)
    ):
        return None
    raw = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = BytesIO(raw)
    try:
        body = _decode(raw.decode())
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def is_plain(environ: "WSGIEnvironment") -> bool:
    """Whether no header of a request needs Django."""
    return (
        environ["REQUEST_METHOD"] == "POST"
        and environ.keys().isdisjoint(NOT_PLAIN)
        and _is_our_host(environ.get("HTTP_HOST", ""))
        and not identity.is_staff_token(environ)
    )


def sender(environ: "WSGIEnvironment") -> Identity | None:
    """The identity of the sender; None if Django must reject the request, or the database is
    unavailable."""
    try:
        requester = identity.identify(environ)
    except (InvalidCredential, DatabaseError, InterfaceError):
        return None
    return None if throttle.seconds_to_wait(requester.app) else requester


def is_plain_user(user_id: Any) -> bool:
    """Whether `user_id` is None, or printable ASCII without spaces: nothing to trim or decode."""
    return user_id is None or (
        isinstance(user_id, str)
        and 0 < len(user_id) <= MAX_USER_ID
        and user_id.isascii()
        and user_id.isprintable()
        and " " not in user_id
    )


@functools.lru_cache(maxsize=64)
def _is_our_host(host: str) -> bool:
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
