"""Security headers of responses, including the Content-Security-Policy of pages."""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# Redoc creates style elements: empty ones that it fills by script, and one for its scroll bars. Its
# search runs in a worker.
REDOC_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
)
REDOC_POLICY = PAGE_POLICY.replace("style-src", f"style-src {REDOC_STYLES}") + "; worker-src blob:"
# Sent with every response, including the API's and static files. Django adds
# Strict-Transport-Security and Cross-Origin-Opener-Policy where TLS is used.
SECURITY_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# The API's answers depend on credentials that no Vary names, and on the moment: nothing between the
# service and an app may give one to another.
API_HEADERS = SECURITY_HEADERS | {"Cache-Control": "no-store"}


def security_headers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that adds SECURITY_HEADERS, and API_HEADERS to the API's responses; a view may set
    its own policy."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_api = request.path.startswith("/api/")
        for name, value in (API_HEADERS if is_api else SECURITY_HEADERS).items():
            response.headers.setdefault(name, value)
        return response

    return middleware


def redoc_policy(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a view with the policy that allows Redoc's style elements and worker."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = view(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = REDOC_POLICY
        return response

    return wrapped
