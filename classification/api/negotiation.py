"""Content negotiation that never answers 406."""

from collections.abc import Iterable

from django.http import Http404
from rest_framework import exceptions, negotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class LenientContentNegotiation(negotiation.DefaultContentNegotiation):
    """Falls back to the first renderer when none is acceptable, as HTTP allows: a client must not
    lose an answer because of the Accept header its HTTP library sends."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        offered = list(renderers)
        try:
            chosen: tuple[BaseRenderer, str] = super().select_renderer(
                request, offered, format_suffix
            )
            return chosen
        except (exceptions.NotAcceptable, Http404):
            return offered[0], str(offered[0].media_type)
