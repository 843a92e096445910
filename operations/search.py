"""The search for photo hashes, requests, users and apps."""

import re
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from classification.models import CacheEntry, ModelCall, RequestLog
from clients.models import App
from clients.pseudonyms import hashed_user_id
from core.staff import StaffRequest, staff_only
from stats.models import User

# Shorter prefixes of a hash match too many photos.
HASH = re.compile(r"[0-9a-f]{6,64}", re.IGNORECASE)
MAX_FOUND = 10


class Found(NamedTuple):
    """A match: its kind, its name, and the URL of its page."""

    kind: str
    name: str
    address: str


@staff_only
@require_GET
def search(request: StaffRequest) -> HttpResponse:
    """Redirect to the only match, or list all matches."""
    term = request.GET.get("q", "").strip()[:64]
    found = [
        thing
        for permission, look in SEARCHES
        if term and request.user.has_perm(permission)
        for thing in look(term)
    ]
    if len(found) == 1:
        return redirect(found[0].address)
    return render(request, "search/page.html", {"term": term, "found": found})


def _entries(term: str) -> list[Found]:
    if not HASH.fullmatch(term):
        return []
    entries = CacheEntry.objects.filter(image_hash__startswith=term.lower())
    hashes = entries.order_by("image_hash").values_list("image_hash", flat=True)[:MAX_FOUND]
    change = "admin:classification_cacheentry_change"
    return [Found(_("Cached photo"), name, reverse(change, args=[name])) for name in hashes]


def _requests(term: str) -> list[Found]:
    by_id = RequestLog.objects.filter(request_id=term).exists()
    if by_id or (len(term) == 64 and RequestLog.objects.filter(image_hash=term.lower()).exists()):
        name = term if by_id else term.lower()
        return [_rows("requestlog", _("Requests"), name, {"q": name})]
    return []


def _calls(term: str) -> list[Found]:
    if not ModelCall.objects.filter(request_id=term).exists():
        return []
    return [_rows("modelcall", _("Model calls"), term, {"q": term})]


def _users(term: str) -> list[Found]:
    """Users by a prefix of their id, which the primary key supports."""
    begins_so = Q(user_id__gte=term, user_id__lt=term + chr(0x10FFFF))
    kept_as = Q(user_id=hashed_user_id(term))  # where USER_IDS=hash
    users = User.objects.filter(begins_so | kept_as).order_by("user_id")
    ids = users.values_list("user_id", flat=True)[:MAX_FOUND]
    return [_rows("requestlog", _("User"), name, {"user_id__exact": name}) for name in ids]


def _apps(term: str) -> list[Found]:
    apps = App.objects.filter(name__icontains=term).order_by("name")[:MAX_FOUND]
    return [Found(_("App"), app.name, reverse("app", args=[app.pk])) for app in apps]


def _rows(table: str, kind: str, name: str, query: dict[str, str]) -> Found:
    address = reverse(f"admin:classification_{table}_changelist")
    return Found(kind, name, f"{address}?{urlencode(query)}")


SEARCHES = (
    ("classification.view_cacheentry", _entries),
    ("classification.view_requestlog", _requests),
    ("classification.view_modelcall", _calls),
    ("classification.view_requestlog", _users),
    ("clients.view_app", _apps),
)
