"""The metrics endpoint."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET

from classification.monitoring.processes import this_process


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics of this host; requires METRICS_TOKEN, and is a 404 if that is not set."""
    if not settings.METRICS_TOKEN:
        raise Http404
    expected = f"Bearer {settings.METRICS_TOKEN}"
    if not constant_time_compare(request.headers.get("Authorization", ""), expected):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    # Imported here: prometheus_client must not be imported before `serve` has set the directory.
    from prometheus_client import CONTENT_TYPE_LATEST

    from operations.metrics import exposition, show_process

    show_process(this_process().state())
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
