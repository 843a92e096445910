"""Cache lookups by hash, and uploads of known photos, without Django's request machinery.

Nearly all requests of apps are of these kinds. Django's handler, its middleware and DRF's view take
some hundred microseconds, the lookup itself a few. Anything but a plain request (an invalid body,
an Origin header, cookies, another host) is passed to Django unchanged, which reports what is wrong.
Tests send requests both ways and compare the responses.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from classification.api.fast_path import batch_check_cache, check_cache, upload
from classification.api.fast_path.answers import Response

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Path -> handler. A handler returns its response, or None for a request that is not plain, which it
# leaves unconsumed.
Handlers = Mapping[str, Callable[["WSGIEnvironment"], Response | None]]
LOOKUPS: Handlers = {
    "/api/v1/classify/check-cache": check_cache.answer,
    "/api/v1/classify/batch-check-cache": batch_check_cache.answer,
}
UPLOADS: Handlers = {"/api/v1/classify": upload.answer}


def with_lookup_fast_path(django: "WSGIApplication") -> "WSGIApplication":
    """Wrap `django` so that plain lookups by hash are answered ahead of it."""
    return _with_handlers(django, LOOKUPS)


def with_upload_fast_path(django: "WSGIApplication") -> "WSGIApplication":
    """Wrap `django` so that plain uploads of known photos are answered ahead of it. Expects bodies
    that are buffered already."""
    return _with_handlers(django, UPLOADS)


def _with_handlers(django: "WSGIApplication", handlers: Handlers) -> "WSGIApplication":
    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        handler = handlers.get(environ["PATH_INFO"])
        response = handler(environ) if handler else None
        if response is None:
            return django(environ, start_response)
        status, headers, body = response
        start_response(status, headers)
        return [body]

    return application
