"""What happens to every request: its id, what its page may load, and its language.

The id is made for each request, sent with each response, and written in each log line.
"""

import functools
import logging
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# Redoc makes style elements: empty ones that it fills by script, and that of its scroll bars. It
# searches in a worker.
REDOC_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
)
REDOC_POLICY = PAGE_POLICY.replace("style-src", f"style-src {REDOC_STYLES}") + "; worker-src blob:"
# On every answer, the API's and static files' too. Strict-Transport-Security and
# Cross-Origin-Opener-Policy are Django's, where TLS is used.
SECURITY_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

request_id_var: ContextVar[str] = ContextVar("request_id", default="-")


def new_request_id() -> str:
    """An id of the form req_<unix seconds>_<12 hex>."""
    return f"req_{int(time.time())}_{secrets.token_hex(6)}"


def request_id(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Give each request a new id, sent back as header X-Request-ID."""

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


def security_headers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let pages load and do nothing but their own; a view may set its own policy."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


class PageLanguageMiddleware(LocaleMiddleware):
    """Chinese, unless somebody switched: only apps are answered in the browser's language."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.path.startswith("/api/"):
            request.META.pop("HTTP_ACCEPT_LANGUAGE", None)
        super().process_request(request)


def redoc_policy(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let Redoc make the style elements and the worker that it needs."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = view(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = REDOC_POLICY
        return response

    return wrapped
