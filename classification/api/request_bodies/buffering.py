"""Reads request bodies before anything is done about them, and none that is too long."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from io import BufferedReader, BytesIO, RawIOBase
from typing import IO, TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from classification.api.errors import error_body
from classification.api.request_bodies import body_memory
from classification.api.request_bodies.body_memory import Room
from classification.api.request_bodies.content_type import readable_content_type
from classification.api.request_bodies.limits import PHOTOS, content_length, max_body_bytes
from classification.errors import ServiceError
from core.client_address import client_address, client_network
from core.sharing.fair_queue import client_var

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from _typeshed import WriteableBuffer


# Apps are told to send far less. Longer bodies are kept in pieces, each freed when it has been
# parsed: otherwise an album would be in memory twice.
MAX_BUFFERED_BYTES = 4 * 1024 * 1024
PIECE_BYTES = 256 * 1024


# Set in a request's environment when there is no room for its body.
NO_ROOM = "classification.no_room_for_body"


class _Body(BytesIO):
    """Freed once it has been read: otherwise the photo would be in memory twice while the model
    works."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.tell() == len(self.getbuffer()):
            self.truncate(0)
        return data


class _LongBody(RawIOBase):
    """At most `length` bytes of a stream, read on construction."""

    def __init__(self, stream: IO[bytes], length: int, room: Room) -> None:
        self._pieces: deque[memoryview] = deque()
        self.length = 0
        room.begin()
        while piece := stream.read(min(PIECE_BYTES, length - self.length)):
            self._pieces.append(memoryview(piece))
            self.length += len(piece)
            room.add(len(piece))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Implements RawIOBase."""
        if not self._pieces:
            return 0
        piece, target = self._pieces.popleft(), memoryview(buffer)
        taken = min(len(piece), len(target))
        target[:taken] = piece[:taken]
        if taken < len(piece):
            self._pieces.appendleft(piece[taken:])
        return taken


def buffer_request_bodies(application: "WSGIApplication") -> "WSGIApplication":
    """Wrap `application` so that it gets bodies that are read already: a slow sender holds up
    nobody, and Django would take a chunked body, which has no length, for an empty one. A chunked
    body is read up to one byte beyond its limit, which shows that it is too long."""

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        length, limit = content_length(environ), max_body_bytes(environ["PATH_INFO"])
        is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        environ["CONTENT_TYPE"] = readable_content_type(environ.get("CONTENT_TYPE", ""))
        with contextlib.ExitStack() as held:
            try:
                if is_chunked or 0 < length <= limit:
                    client = client_network(client_address(environ))
                    held.callback(client_var.reset, client_var.set(client))
                    size = limit if is_chunked else length
                    # Only while it is read: a known photo is answered whatever else one has sent.
                    with body_memory.threads.hold(client, 1):
                        room = held.enter_context(
                            body_memory.hold(client, environ["PATH_INFO"], size)
                        )
                        _buffer(environ, length, limit, room, is_chunked=is_chunked)
            except ServiceError:
                environ[NO_ROOM] = True
            return application(environ, start_response)

    return wrapped


def _buffer(
    environ: "WSGIEnvironment", length: int, limit: int, room: Room, *, is_chunked: bool
) -> None:
    if length <= MAX_BUFFERED_BYTES and not is_chunked:
        environ["wsgi.input"] = _Body(environ["wsgi.input"].read(length))
        return
    body = _LongBody(environ["wsgi.input"], limit + 1 if is_chunked else length, room)
    environ["wsgi.input"] = BufferedReader(body, PIECE_BYTES)
    if is_chunked:
        environ["CONTENT_LENGTH"] = str(body.length)


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
        if NO_ROOM in request.META:
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
