"""Who may see the pages: the one place that says so."""

from collections.abc import Callable

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

Page = Callable[..., HttpResponse]


class StaffRequest(HttpRequest):
    """A request that `staff_only` has let through."""

    user: User


def staff_only(page: Page) -> Page:
    """Show a page to staff; send everybody else to the login."""
    return staff_member_required(page, login_url="admin:login")
