"""The playground: classify a photo as an app would, and see everything behind the answer."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from classification.categories import CATEGORIES
from classification.errors import ServiceError
from classification.models import CORRECTION_FIELDS, CacheEntry, ModelCall, PromptVersion
from classification.pipeline import trials
from classification.pipeline.request_log import ClientInfo
from classification.pipeline.trials import NotKept, Trial
from classification.staff.forms import CorrectionForm, PhotoForm
from classification.templatetags.figures import yuan
from core.audit import record
from core.request_id import request_id_var
from core.staff import StaffRequest, staff_only, staff_with


@staff_only
@require_GET
def page(request: StaffRequest) -> HttpResponse:
    context = {
        "names": {category.key: category.name for category in CATEGORIES},
        "max_side": settings.LLM_IMAGE_MAX_SIDE,
        "formats": settings.ALLOWED_IMAGE_FORMATS,
        "max_megabytes": settings.MAX_IMAGE_SIZE_MB,
        "max_bytes": settings.MAX_IMAGE_SIZE_MB * 1024 * 1024,
    }
    return render(request, "playground/page.html", context)


@staff_only
@require_GET
def answer(request: StaffRequest) -> HttpResponse:
    """The details of an answer that clients do not get: its cache entry and its model calls."""
    image_hash, request_id = request.GET.get("hash", ""), request.GET.get("request", "")
    return _details(request, image_hash, request_id)


def _details(
    request: StaffRequest, image_hash: str, request_id: str, *, is_outdated: bool = False
) -> HttpResponse:
    calls = ModelCall.objects.filter(request_id=request_id) if request_id else ()
    context = {
        "entry": CacheEntry.objects.filter(image_hash=image_hash).first(),
        "calls": calls,
        "cost": sum(call.cost for call in calls),
        "request_id": request_id,
        "categories": CATEGORIES,
        "is_outdated": is_outdated,
    }
    return render(request, "playground/answer.html", context)


@staff_with("classification.change_cacheentry")
@require_POST
def correct(request: StaffRequest) -> HttpResponse:
    """Correct the category of a photo, unless it has changed since the page showed it."""
    form = CorrectionForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=400)
    image_hash, seen = form.cleaned_data["hash"], form.cleaned_data["seen"]
    with transaction.atomic():
        wanted = CacheEntry.objects.select_for_update().filter(image_hash=image_hash)
        entry = wanted.filter(category=seen).first()
        if entry:
            entry.correct(form.cleaned_data["category"], by=request.user)
            entry.save(update_fields=CORRECTION_FIELDS)
            record(request.user, entry, _("Corrected on the test page"))
    request_id = form.cleaned_data["request"]
    return _details(request, image_hash, request_id, is_outdated=entry is None)


@staff_with("classification.try_model")
@require_POST
def ask_again(request: StaffRequest) -> HttpResponse:
    """Ask the model about a photo, bypassing the cache; the answer is shown, but not cached."""
    form = PhotoForm(request.POST, request.FILES)
    if not form.is_valid():
        return HttpResponse(status=400)
    prompt = PromptVersion.objects.current()
    trial, error = try_model(form.cleaned_data["image"].read(), prompt)
    record_trial(request.user, (trial, error))
    cached = trial and CacheEntry.objects.filter(image_hash=trial.entry.image_hash).first()
    return render(
        request, "playground/again.html", {"trial": trial, "error": error, "cached": cached}
    )


@staff_with("classification.keep_answer")
@require_POST
def keep(request: StaffRequest) -> HttpResponse:
    """Cache an answer of ask_again(), so that clients get it."""
    try:
        entry = trials.keep(request.POST.get("sealed", ""))
    except NotKept as refusal:
        return render(request, "playground/kept.html", {"refusal": refusal})
    record(request.user, entry, _("Cached answer replaced"))
    return render(request, "playground/kept.html", {"entry": entry})


def record_trial(user: Any, *answers: tuple[Trial | None, ServiceError | None]) -> None:
    """Record in the audit log who tried the model, and what the answers cost."""
    cost = sum(trial.entry.cost for trial, _error in answers if trial)
    record(user, ModelCall, _("Model tried: %(cost)s") % {"cost": yuan(cost)})


def try_model(upload: bytes, prompt: PromptVersion) -> tuple[Trial | None, ServiceError | None]:
    """The model's answer about one photo, or the error."""
    try:
        return trials.ask(
            upload=upload, prompt=prompt, client=ClientInfo(request_id_var.get())
        ), None
    except ServiceError as error:
        return None, error
