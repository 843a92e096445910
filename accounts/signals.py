"""After a successful login: uncount its attempt, and remember its browser."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext

from accounts import throttle
from core.audit import record


@receiver(user_logged_in)
def logged_in(request: HttpRequest | None, user: Any, **_: Any) -> None:
    if request is not None and hasattr(request, "login_attempt"):
        record(user, user, gettext("Signed in"))
        throttle.succeeded(request, request.login_attempt)
        request.known_to = throttle.account(user.get_username())  # type: ignore[attr-defined]
