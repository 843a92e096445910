"""Middleware that throttles the staff login."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import throttle


class LoginThrottle:
    """Answers 429 to too many login attempts, before the password is checked."""

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
        """Count an attempt at the login page, the only one that checks passwords."""
        match = request.resolver_match
        if request.method != "POST" or not match or match.view_name != settings.LOGIN_URL:
            return None
        username = throttle.account(request.POST.get("username", ""))
        if wait := throttle.seconds_to_wait(request, username):
            response = render(
                request, "accounts/wait.html", {"minutes": -(-wait // 60)}, status=429
            )
            response["Retry-After"] = str(wait)
            return response
        request.login_attempt = username  # type: ignore[attr-defined]
        return None
