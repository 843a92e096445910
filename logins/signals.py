"""A login that succeeded takes its attempt back, and its browser is known from then on."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from logins import throttle


@receiver(user_logged_in)
def logged_in(request: HttpRequest | None, user: Any, **_: Any) -> None:
    if request is not None and hasattr(request, "login_attempt"):
        throttle.succeeded(request, request.login_attempt)
        request.known_to = throttle.normal(user.get_username())  # type: ignore[attr-defined]
