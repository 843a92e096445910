"""Bodies of requests: none is read that is too long, however it is sent."""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from classification.api.body_limits import PHOTOS, max_body_bytes
from classification.api.callers import content_length
from classification.api.errors import error_body
from classification.errors import Refusal

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def with_whole_bodies(application: "WSGIApplication") -> "WSGIApplication":
    """The application with chunked bodies read up to their limit, and one byte more that tells
    they are too long: Django takes a body without a length for an empty one."""

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            body = environ["wsgi.input"].read(max_body_bytes(environ["PATH_INFO"]) + 1)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
        return application(environ, start_response)

    return wrapped


def body_limit(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a body that is too long, before whoever looks for a token in it reads it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        is_api = request.path.startswith("/api/")
        is_long = content_length(request.META) > max_body_bytes(request.path)
        # The views of photos refuse them themselves, and log that they did.
        if not is_long or (is_api and request.path in PHOTOS):
            return get_response(request)
        refusal = Refusal("invalid_request")
        if is_api:
            return JsonResponse(error_body(refusal.code, refusal.message), status=refusal.status)
        sentence = _("This is more than the page takes.")
        return HttpResponse(sentence, status=413, content_type="text/plain; charset=utf-8")

    return middleware
