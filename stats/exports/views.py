"""Reports as files, for the buttons on the pages."""

import tempfile
from datetime import date, timedelta
from http import HTTPStatus

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from classification.errors import ServiceError
from core.staff import StaffRequest, staff_only
from stats.exports.reports import REPORTS
from stats.exports.writers import WRITERS
from stats.figures import current_figures

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
DAYS = 30
# Each takes a row of the report by day, whether anything happened or not.
MAX_DAYS = 3660


@staff_only
@require_GET
def download(request: StaffRequest, report: str, file_format: str) -> HttpResponseBase:
    """Download a report for the days `from` to `to`, by default the last DAYS.

    It is written to a file first, so that no snapshot stays open for a slow client.
    """
    if report not in REPORTS or file_format not in WRITERS:
        raise Http404
    shown = REPORTS[report]
    if not request.user.has_perm(shown.permission):
        raise PermissionDenied
    last = timezone.localdate()
    try:
        first = date.fromisoformat(request.GET.get("from", f"{last - timedelta(days=DAYS - 1)}"))
        last = date.fromisoformat(request.GET.get("to", f"{last}"))
    except ValueError:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    if (last - first).days > MAX_DAYS:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    file = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        with current_figures() as figures:
            WRITERS[file_format](file, shown.columns, shown.rows(figures, first, last))
    except ServiceError as error:
        return render(request, "dashboard/behind.html", {"error": error}, status=error.status)
    file.seek(0)
    name = f"{report}-{first}-{last}.{file_format}"
    return FileResponse(file, as_attachment=True, filename=name, content_type=TYPES[file_format])
