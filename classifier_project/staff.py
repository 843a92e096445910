"""Who may see the pages: the one place that says so."""

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

Page = Callable[..., HttpResponse]


class StaffRequest(HttpRequest):
    """A request that `staff_only` has let through."""

    user: User


def staff_only(page: Page) -> Page:
    """Show a page to staff; send everybody else to the login.

    A part of a page, which a script asks for, would end up with the login inside it: there the
    script is told to load its whole page again.
    """
    guarded = staff_member_required(page, login_url="admin:login")

    @functools.wraps(page)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "HX-Request" in request.headers and not request.user.is_staff:
            return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Refresh": "true"})
        return guarded(request, *args, **kwargs)

    return wrapped
