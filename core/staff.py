"""Access control of the staff's pages."""

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

Page = Callable[..., HttpResponseBase]


class StaffRequest(HttpRequest):
    """A request that `staff_only` admitted."""

    user: User


def staff_only(page: Page) -> Page:
    """Restrict a page to staff; redirect everybody else to the login.

    For a fragment that htmx requests, a redirect would put the login page inside the page: instead,
    htmx is told to reload the whole page.
    """
    guarded = staff_member_required(page, login_url="admin:login")

    @functools.wraps(page)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "HX-Request" in request.headers and not request.user.is_staff:
            return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Refresh": "true"})
        return guarded(request, *args, **kwargs)

    return wrapped


def staff_with(permission: str) -> Callable[[Page], Page]:
    """Restrict a page to staff with this permission; raises PermissionDenied for others."""

    def decorator(page: Page) -> Page:
        @functools.wraps(page)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return page(request, *args, **kwargs)

        return staff_only(checked)

    return decorator
