"""The light or dark theme a user chose."""

from django import template
from django.http import HttpRequest

register = template.Library()


@register.filter
def theme(request: HttpRequest | None) -> str:
    """ "light" or "dark"; "" is as the system has it, and for an error without a request."""
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in ("light", "dark") else ""
