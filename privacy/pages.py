"""The privacy page: find a person by id, see what is stored, export or forget it.

The id is only sent in request bodies: URLs end up in browser histories and proxy logs.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from clients.models import App
from core.staff import StaffRequest, staff_with
from privacy import export, rights
from privacy.models import Erasure
from privacy.people import Person

LATEST = 20
# Display names of places.
PLACE_NAMES = {
    "request_log": gettext_lazy("Rows of the request log"),
    "declared_hashes": gettext_lazy("Hashes of originals"),
    "votes": gettext_lazy("Votes"),
    "figures": gettext_lazy("Days with figures"),
    "limits": gettext_lazy("Limits of past days"),
}


class PersonForm(forms.Form):
    """Identifies a person, of one app or of all."""

    user_id = forms.CharField(label=gettext_lazy("User ID"), max_length=1000, strip=True)
    app = forms.ModelChoiceField(
        App.objects.all(),
        label=gettext_lazy("App"),
        required=False,
        empty_label=gettext_lazy("All apps"),
    )

    def person(self) -> Person:
        """The person; only call it on a valid form."""
        app = self.cleaned_data["app"]
        return Person.named(self.cleaned_data["user_id"], app.pk if app else None)


@staff_with("privacy.find_person")
@require_GET
def page(request: StaffRequest) -> HttpResponse:
    """The form, and the latest receipts."""
    return render(request, "privacy/page.html", _context(PersonForm()))


@staff_with("privacy.find_person")
@require_POST
def find(request: StaffRequest) -> HttpResponse:
    """What is stored about a person."""
    form = PersonForm(request.POST)
    if not form.is_valid():
        return render(request, "privacy/page.html", _context(form))
    return _found(request, form)


@staff_with("privacy.find_person")
@require_POST
def export_person(request: StaffRequest) -> Any:
    """Export a person's data as a file."""
    form = PersonForm(request.POST)
    if not form.is_valid():
        return render(request, "privacy/page.html", _context(form))
    response = StreamingHttpResponse(
        rights.begin_export(form.person(), request.user), content_type="application/json"
    )
    response["Content-Disposition"] = 'attachment; filename="person.json"'
    response["Cache-Control"] = "no-store"
    return response


@staff_with("privacy.forget_person")
@require_POST
def forget(request: StaffRequest) -> HttpResponse:
    """Forget a person, if the id was typed again to confirm."""
    form = PersonForm(request.POST)
    if not form.is_valid():
        return render(request, "privacy/page.html", _context(form))
    if request.POST.get("typed", "").strip() != form.cleaned_data["user_id"]:
        return _found(request, form, _("The two IDs differ: nothing was changed."))
    erasure, _rows = rights.begin_erasure(form.person(), request.user.get_username(), request.user)
    sentence = _("The person is being forgotten; the receipt is %(receipt)s.")
    messages.success(request, sentence % {"receipt": erasure})
    return redirect("privacy")


def _context(form: PersonForm) -> dict[str, Any]:
    return {"form": form, "erasures": Erasure.objects.order_by("-pk")[:LATEST]}


def _found(request: StaffRequest, form: PersonForm, error: str = "") -> HttpResponse:
    rows = [(PLACE_NAMES[name], count) for name, count in export.count(form.person()).items()]
    context = {
        "asked": form.cleaned_data,
        "rows": rows,
        "is_known": any(count for _, count in rows),
        "error": error,
        "may_forget": request.user.has_perm("privacy.forget_person"),
    }
    return render(request, "privacy/page.html", _context(form) | context)
