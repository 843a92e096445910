"""check-cache without Django's request machinery, for the plain case.

Nearly every request of an app is this one. Django's handler, its middleware and DRF's view take
300 microseconds for it, the answer itself 30. Whatever is not the plain case (a wrong body, a
browser's origin, cookies, another host) goes on to Django, which says what is wrong. Tests ask
both ways and compare the answers.
"""

import functools
import json
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from django.utils import translation

from classification import flights, services
from classification.api.bodies import check_cache_body
from classification.api.callers import client_address, content_length
from classification.api.errors import error_body, refusal_of
from classification.outcomes import Caller
from classification.photos import HASH
from classifier_project.middleware import SECURITY_HEADERS, new_request_id, request_id_var

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/api/v1/classify/check-cache"
JSON_TYPES = ("application/json", "application/json; charset=utf-8")
MAX_BODY_BYTES = 1024
MAX_USER_ID = 64
# Headers whose meaning is Django's business.
NOT_PLAIN = ("HTTP_ORIGIN", "HTTP_COOKIE", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING")


def with_fast_lane(django: "WSGIApplication") -> "WSGIApplication":
    """The application with plain check-cache requests answered ahead of Django."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        question = _plain_question(environ) if environ["PATH_INFO"] == PATH else None
        if question is None:
            return django(environ, start_response)
        status, headers, body = _answer(environ, *question)
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return application


def _plain_question(environ: "WSGIEnvironment") -> tuple[str, str | None] | None:
    """The hash and the user of a plain request; None for any other, left as it came."""
    if (
        environ["REQUEST_METHOD"] != "POST"
        or environ.get("CONTENT_TYPE") not in JSON_TYPES
        or not 0 < content_length(environ) <= MAX_BODY_BYTES
        or any(name in environ for name in NOT_PLAIN)
        or not _is_our_host(environ.get("HTTP_HOST", ""))
    ):
        return None
    raw = environ["wsgi.input"].read(content_length(environ))
    environ["wsgi.input"] = BytesIO(raw)
    try:
        body = json.loads(raw)
        image_hash, body_user = body["image_hash"], body.get("user_id")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    user_id = environ.get("HTTP_X_USER_ID") or body_user
    if not isinstance(image_hash, str) or not HASH.fullmatch(image_hash):
        return None
    return (image_hash.lower(), user_id) if _is_plain_user(user_id, body_user) else None


def _is_plain_user(*user_ids: Any) -> bool:
    """Whether each is none, or visible ASCII that needs no trimming and no decoding."""
    return all(
        user_id is None
        or (
            isinstance(user_id, str)
            and 0 < len(user_id) <= MAX_USER_ID
            and user_id.isascii()
            and user_id.isprintable()
            and " " not in user_id
        )
        for user_id in user_ids
    )


@functools.lru_cache(maxsize=64)
def _is_our_host(host: str) -> bool:
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


def _answer(
    environ: "WSGIEnvironment", image_hash: str, user_id: str | None
) -> tuple[str, list[tuple[str, str]], bytes]:
    """The status, the headers and the body, as the view would give them."""
    request_id = new_request_id()
    token = request_id_var.set(request_id)
    headers = [
        ("Content-Type", "application/json"),
        ("X-Request-ID", request_id),
        ("Vary", "Accept-Language"),
        *SECURITY_HEADERS.items(),
    ]
    try:
        found = services.check_cache(
            image_hash=image_hash,
            caller=Caller(request_id, user_id, client_address(environ)),
        )
        if found:
            return "200 OK", headers, _json(check_cache_body(found))
        with translation.override(_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))):
            return "200 OK", headers, _json(check_cache_body(None))
    except Exception as error:
        refusal = refusal_of(error)
        if refusal.retry_after:
            headers.append(("Retry-After", str(refusal.retry_after)))
        with translation.override(_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))):
            body = _json(error_body(refusal.code, refusal.message))
        return f"{refusal.status.value} {refusal.status.phrase}", headers, body
    finally:
        request_id_var.reset(token)
        flights.release_connection()


@functools.lru_cache(maxsize=256)
def _language(accept_language: str) -> str:
    """The language of an answer, as LocaleMiddleware chooses it."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = accept_language
    return translation.get_language_from_request(request)


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
