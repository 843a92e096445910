"""What a person sees of a page that cannot be shown."""

import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from classification.errors import ERRORS, RETRY_AFTER, error_code
from classifier_project.middleware import request_id_var

SENTENCES: dict[HTTPStatus, str | Promise] = {
    HTTPStatus.BAD_REQUEST: _("The request is not valid."),
    HTTPStatus.FORBIDDEN: _("Your account may not do this. Ask an administrator for the right."),
    HTTPStatus.NOT_FOUND: _("There is no such page, or what it showed is gone."),
}


def page(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """A page that says in a sentence why another could not be shown."""
    return _page(request, status, SENTENCES[status])


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return page(request, HTTPStatus.FORBIDDEN)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: mostly a form that was left open while its session ended."""
    sentence = _("This form is out of date. Go back, reload the page, and send it once more.")
    return _page(request, HTTPStatus.FORBIDDEN, sentence)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Asks the database for nothing: it may be what is away."""
    error = sys.exc_info()[1]
    code = error_code(error) if isinstance(error, Exception) else "internal_error"
    status, sentence = ERRORS[code]
    response = _page(None, status, sentence)
    if wait := RETRY_AFTER.get(code):
        response["Retry-After"] = str(wait)
        if request.method == "GET":
            # For browsers, so that a page that is left open comes back by itself.
            response["Refresh"] = str(wait)
    return response


def _page(request: HttpRequest | None, status: HTTPStatus, sentence: str | Promise) -> HttpResponse:
    context = {"sentence": sentence, "status": status, "request_id": request_id_var.get()}
    return render(request, "error.html", context, status=status)
