"""The responses of the fast path, byte for byte what the views would send."""

import functools
import json
from collections.abc import Callable
from json.encoder import encode_basestring as encode_text
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils import translation

from classification.api.errors import error_body, service_error_of
from classification.api.responses import UNKNOWN_PHOTO
from classification.model_output import Classification
from classification.pipeline.request_log import ClientInfo
from clients import rate_limit_headers
from clients.identity import Identity
from clients.quotas import Requester
from core import wall_clock
from core.client_address import client_address
from core.database.connections import release_connection
from core.request_id import new_request_id, request_id_var
from core.security_headers import API_HEADERS

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

Response = tuple[str, list[tuple[str, str]], bytes]

HEADERS = [
    ("Content-Type", "application/json"),
    ("Vary", "Accept-Language"),
    *API_HEADERS.items(),
]


def answer(
    environ: "WSGIEnvironment",
    sender: Identity,
    user_id: str | None,
    render_members: Callable[[ClientInfo], str],
) -> Response:
    """The status, headers and body of a response. `render_members` returns the body's members as
    JSON, but for `success` and the stamp; its exceptions become error responses."""
    request_id = new_request_id()
    token = request_id_var.set(request_id)
    user_id = sender.token_user or user_id
    client = ClientInfo(
        request_id,
        Requester(sender.app, user_id, client_address(environ)),
        has_token=sender.token_user is not None,
    )
    status, retry_after = "200 OK", None
    try:
        members = render_members(client)
        stamp = f'"request_id":"{request_id}","timestamp":"{wall_clock.now().isoformat()}"'
        body = f'{{"success":true,{members},{stamp}}}'.encode()
    except Exception as error:
        refusal = service_error_of(error)
        status, retry_after = f"{refusal.status.value} {refusal.status.phrase}", refusal.retry_after
        with translation.override(_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))):
            body = json.dumps(
                error_body(refusal.code, refusal.message), ensure_ascii=False, separators=(",", ":")
            ).encode()
    finally:
        request_id_var.reset(token)
        release_connection()
    headers = [
        *HEADERS,
        ("X-Request-ID", request_id),
        ("Content-Length", str(len(body))),
        *rate_limit_headers.headers(sender.app),
    ]
    if retry_after:
        headers.append(("Retry-After", str(retry_after)))
    return status, headers, body


def classification_json(found: Classification) -> str:
    """The JSON that the serializer ClassificationData renders."""
    description = "null" if found.description is None else encode_text(found.description)
    return (
        f'{{"category":"{found.category}","confidence":{found.confidence!r},'
        f'"description":{description}}}'
    )


@functools.lru_cache(maxsize=256)
def unknown_photo(accept_language: str) -> str:
    """The message for an unknown photo as a JSON string, in the language of an Accept-Language
    header."""
    with translation.override(_language(accept_language)):
        return encode_text(str(UNKNOWN_PHOTO))


@functools.lru_cache(maxsize=256)
def _language(accept_language: str) -> str:
    """The language of a response, chosen as LocaleMiddleware does."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = accept_language
    return translation.get_language_from_request(request)
