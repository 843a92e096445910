"""What machines ask of the running service."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET

from classification.processes import this_process


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics of this host, for whoever has METRICS_TOKEN; nothing is here without one."""
    if not settings.METRICS_TOKEN:
        raise Http404
    expected = f"Bearer {settings.METRICS_TOKEN}"
    if not constant_time_compare(request.headers.get("Authorization", ""), expected):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    # Here, since prometheus_client must not be imported before `serve` has said where to write.
    from prometheus_client import CONTENT_TYPE_LATEST

    from operations.metrics import exposition, show_process

    show_process(this_process().state())
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
