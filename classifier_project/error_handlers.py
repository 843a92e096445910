"""Django's error handlers: JSON for the API, a page for people."""

import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound

from classification.api.errors import error_body
from classification.errors import ERRORS, RETRY_AFTER, error_code
from core.request_id import request_id_var

SENTENCES: dict[HTTPStatus, str | Promise] = {
    HTTPStatus.BAD_REQUEST: _("The request is not valid."),
    HTTPStatus.FORBIDDEN: _(
        "Your account does not have permission to do this. Ask an administrator for access."
    ),
    HTTPStatus.NOT_FOUND: _("This page does not exist, or its content has been deleted."),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    if not _is_api(request):
        return _page(request, HTTPStatus.BAD_REQUEST, SENTENCES[HTTPStatus.BAD_REQUEST])
    status, sentence = ERRORS["invalid_request"]
    return JsonResponse(error_body("invalid_request", sentence), status=status)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return _page(request, HTTPStatus.FORBIDDEN, SENTENCES[HTTPStatus.FORBIDDEN])


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if not _is_api(request):
        return _page(request, HTTPStatus.NOT_FOUND, SENTENCES[HTTPStatus.NOT_FOUND])
    body = error_body("not_found", str(NotFound.default_detail))
    return JsonResponse(body, status=HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, for errors outside the API's views.

    Makes no query: the database may be the part that is down.
    """
    if _is_api(request):
        status, sentence = ERRORS["internal_error"]
        return JsonResponse(error_body("internal_error", sentence), status=status)
    error = sys.exc_info()[1]
    code = error_code(error) if isinstance(error, Exception) else "internal_error"
    status, sentence = ERRORS[code]
    response = _page(None, status, sentence)
    if wait := RETRY_AFTER.get(code):
        response["Retry-After"] = str(wait)
        if request.method == "GET":
            # A page that is left open in a browser reloads by itself.
            response["Refresh"] = str(wait)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW; the usual reason is a form left open after its session ended."""
    sentence = _("This form has expired. Go back, reload the page and submit it again.")
    return _page(request, HTTPStatus.FORBIDDEN, sentence)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _page(request: HttpRequest | None, status: HTTPStatus, sentence: str | Promise) -> HttpResponse:
    context = {"sentence": sentence, "status": status, "request_id": request_id_var.get()}
    return render(request, "error.html", context, status=status)
