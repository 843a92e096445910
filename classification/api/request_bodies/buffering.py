"""Reads request bodies before anything is done about them, and none that is too long."""

import contextlib
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from classification.api.errors import error_body
from classification.api.request_bodies import body_memory
from classification.api.request_bodies.content_type import readable_content_type
from classification.api.request_bodies.limits import PHOTOS, content_length, max_body_bytes
from classification.errors import ServiceError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


# Apps are told to send far less. Dozens of longer bodies at once, beside those already waiting for
# the model, would take too much memory: these are read only when it is their turn.
MAX_BUFFERED_BYTES = 4 * 1024 * 1024


ALBUMS = {path for path, photos in PHOTOS.items() if photos > 1}
# Set in a request's environment when the memory for bodies is exhausted.
NO_MEMORY = "classification.no_memory_for_body"


class _Body(BytesIO):
    """Freed once it has been read: otherwise the photo would be in memory twice while the model
    works."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.tell() == len(self.getbuffer()):
            self.truncate(0)
        return data


def buffer_request_bodies(application: "WSGIApplication") -> "WSGIApplication":
    """Wrap `application` so that it gets bodies that are read already: a slow sender holds up
    nobody, and Django would take a chunked body, which has no length, for an empty one. A chunked
    body is read up to one byte beyond its limit, which shows that it is too long."""

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        length, limit = content_length(environ), max_body_bytes(environ["PATH_INFO"])
        is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        environ["CONTENT_TYPE"] = readable_content_type(environ.get("CONTENT_TYPE", ""))
        memory = body_memory.albums if environ["PATH_INFO"] in ALBUMS else body_memory.photos
        with contextlib.ExitStack() as held:
            try:
                if is_chunked or length <= limit:
                    held.enter_context(memory.hold(limit if is_chunked else length))
            except ServiceError:
                environ[NO_MEMORY] = True
                return application(environ, start_response)
            if is_chunked:
                body = environ["wsgi.input"].read(limit + 1)
                environ["wsgi.input"], environ["CONTENT_LENGTH"] = _Body(body), str(len(body))
            elif 0 < length <= min(limit, MAX_BUFFERED_BYTES):
                environ["wsgi.input"] = _Body(environ["wsgi.input"].read(length))
            return application(environ, start_response)

    return wrapped


def _busy() -> HttpResponse:
    error = ServiceError("model_busy")
    response = JsonResponse(error_body(error.code, error.message), status=error.status)
    response["Retry-After"] = str(error.retry_after)
    return response


def refuse_long_bodies(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that rejects a body that is too long before the CSRF middleware reads it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if NO_MEMORY in request.META:
            return _busy()
        is_api = request.path.startswith("/api/")
        is_long = content_length(request.META) > max_body_bytes(request.path)
        # The photo views reject them themselves, and log it.
        if not is_long or (is_api and request.path in PHOTOS):
            return get_response(request)
        refusal = ServiceError("invalid_request")
        if is_api:
            return JsonResponse(error_body(refusal.code, refusal.message), status=refusal.status)
        sentence = _("The submission is too large for this page.")
        return HttpResponse(sentence, status=413, content_type="text/plain; charset=utf-8")

    return middleware
