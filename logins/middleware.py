"""Counts attempts at the staff's login, and turns too many away."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from logins import throttle


class LoginThrottle:
    """Answers 429 to too many attempts to log in, before a password is looked at."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if account := getattr(request, "known_to", ""):
            response.set_cookie(
                throttle.DEVICE_COOKIE,
                throttle.device_cookie(request, account),
                max_age=throttle.DEVICE_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Count what is sent to the login page, which is the only one that takes a password."""
        match = request.resolver_match
        if request.method != "POST" or not match or match.view_name != settings.LOGIN_URL:
            return None
        username = throttle.normal(request.POST.get("username", ""))
        if wait := throttle.seconds_to_wait(request, username):
            response = render(request, "logins/wait.html", {"minutes": -(-wait // 60)}, status=429)
            response["Retry-After"] = str(wait)
            return response
        request.login_attempt = username  # type: ignore[attr-defined]
        return None
