"""The id of each request: generated, sent with the response, and included in each log line."""

import logging
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

request_id_var: ContextVar[str] = ContextVar("request_id", default="-")


def new_request_id() -> str:
    """An id of the form req_<unix seconds>_<12 hex>."""
    return f"req_{int(time.time())}_{secrets.token_hex(6)}"


def request_id(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that assigns each request an id, sent back as X-Request-ID."""

    def middleware(request: HttpRequest) -> HttpResponse:
        new_id = new_request_id()
        token = request_id_var.set(new_id)
        try:
            response = get_response(request)
        finally:
            request_id_var.reset(token)
        response["X-Request-ID"] = new_id
        return response

    return middleware


class RequestIdFilter(logging.Filter):
    """Adds `request_id` to log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id_var.get()
        return True
