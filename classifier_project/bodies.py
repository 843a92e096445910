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


# What apps are told to send is far below. Dozens of longer ones at once, waiting for their turn
# beside those that wait for the model, would take too much memory: they are read in their turn.
MOST_READ_AHEAD = 4 * 1024 * 1024


class _Body(BytesIO):
    """Freed as soon as it is read: the photo in it would wait for the model in memory twice."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.tell() == len(self.getbuffer()):
            self.truncate(0)
        return data


def with_whole_bodies(application: "WSGIApplication") -> "WSGIApplication":
    """The application with bodies read before anything is done about them: who sends slowly
    keeps nobody waiting, and Django takes a chunked body, which has no length, for an empty one.
    Of a chunked body, one byte beyond the limit tells that it is too long."""

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        length, limit = content_length(environ), max_body_bytes(environ["PATH_INFO"])
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            body = environ["wsgi.input"].read(limit + 1)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = _Body(body), str(len(body))
        elif 0 < length <= min(limit, MOST_READ_AHEAD):
            environ["wsgi.input"] = _Body(environ["wsgi.input"].read(length))
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
