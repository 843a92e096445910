"""The staff's test page and prompt page, and the settings in force."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.db import IntegrityError
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from classification import in_force, trials
from classification.categories import CATEGORIES
from classification.differences import differences
from classification.errors import Refusal
from classification.forms import PhotoForm, PromptForm, PublishForm, TrialForm
from classification.models import CacheEntry, ModelCall, PromptVersion, RequestLog
from classification.outcomes import Caller
from classification.trials import Trial
from classifier_project.middleware import request_id_var
from classifier_project.staff import StaffRequest, staff_only

MAX_TRIAL_PHOTOS = 8
DRAFT = "prompt_draft"  # its key in the session


# --- Test page ----------------------------------------------------------------------------


@staff_only
@require_GET
def test(request: StaffRequest) -> HttpResponse:
    context = {
        "names": {category.key: category.name for category in CATEGORIES},
        "max_side": settings.LLM_IMAGE_MAX_SIDE,
        "formats": settings.ALLOWED_IMAGE_FORMATS,
        "max_megabytes": settings.MAX_IMAGE_SIZE_MB,
    }
    return render(request, "test/page.html", context)


@staff_only
@require_GET
def answer(request: StaffRequest) -> HttpResponse:
    """What staff may see of an answer that a client only gets the end of."""
    request_id = request.GET.get("request", "")
    calls = ModelCall.objects.filter(request_id=request_id)
    # A browser that cannot hash does not know the hash.
    image_hash = request.GET.get("hash") or _hash_of(calls, request_id)
    context = {"entry": CacheEntry.objects.filter(image_hash=image_hash).first(), "calls": calls}
    return render(request, "test/answer.html", context)


def _hash_of(calls: QuerySet[ModelCall], request_id: str) -> str:
    row = calls.first() or RequestLog.objects.filter(request_id=request_id).first()
    return row.image_hash if row else ""


@staff_only
@require_POST
def ask_again(request: StaffRequest) -> HttpResponse:
    """Ask the model about a photo past the cache; the answer is only shown."""
    form = PhotoForm(request.POST, request.FILES)
    if not form.is_valid():
        return HttpResponse(status=400)
    prompt = PromptVersion.objects.current()
    trial, refusal = _try(form.cleaned_data["image"].read(), prompt)
    cached = trial and CacheEntry.objects.filter(image_hash=trial.entry.image_hash).first()
    return render(
        request, "test/again.html", {"trial": trial, "refusal": refusal, "cached": cached}
    )


@staff_only
@require_POST
def keep(request: StaffRequest) -> HttpResponse:
    """Make an answer that was only shown the one that clients get."""
    try:
        entry = trials.keep(request.POST.get("sealed", ""))
    except signing.BadSignature:
        return render(request, "test/kept.html", {"entry": None})
    return render(request, "test/kept.html", {"entry": entry})


def _try(upload: bytes, prompt: PromptVersion) -> tuple[Trial | None, Refusal | None]:
    try:
        return trials.ask(upload=upload, prompt=prompt, caller=Caller(request_id_var.get())), None
    except Refusal as refusal:
        return None, refusal


# --- Prompt page --------------------------------------------------------------------------


@staff_only
@require_GET
def prompt(request: StaffRequest) -> HttpResponse:
    form = PromptForm(initial={"text": PromptVersion.objects.current().text})
    return render(
        request, "prompt/page.html", _prompt_page(form) | {"draft": request.session.get(DRAFT)}
    )


def _prompt_page(form: PromptForm) -> dict[str, Any]:
    return {
        "current": PromptVersion.objects.current(),
        "form": form,
        "history": PromptVersion.objects.select_related("author").order_by("-version")[:100],
    }


@staff_only
@require_GET
def prompt_version(request: StaffRequest, version: int) -> HttpResponse:
    """An older version beside the one in force, with a way to restore it."""
    shown = get_object_or_404(PromptVersion.objects.select_related("author"), version=version)
    current = PromptVersion.objects.current()
    form = PromptForm(initial={"text": shown.text, "restored_from": shown.version})
    context = {
        "shown": shown,
        "current": current,
        "form": form,
        "pieces": differences(current.text, shown.text),
    }
    return render(request, "prompt/version.html", context)


@staff_only
@require_http_methods(["GET", "POST"])
def prompt_draft(request: StaffRequest) -> HttpResponse:
    """A checked draft: its difference to the prompt in force, a trial, and publishing.

    It waits in its author's session, so that it outlives a reload, a switch of language and a
    publication by somebody else.
    """
    if request.method == "POST":
        form = PromptForm(request.POST)
        if not form.is_valid():
            return render(request, "prompt/page.html", _prompt_page(form))
        request.session[DRAFT] = form.cleaned_data
        return redirect("prompt-draft")
    draft = request.session.get(DRAFT)
    if draft is None:
        return redirect("prompt")
    current = PromptVersion.objects.current()
    context = {
        "current": current,
        "draft": draft,
        "pieces": differences(current.text, draft["text"]),
        "publish_form": PublishForm(initial=draft),
        "older": _older_answers(current),
        "max_photos": MAX_TRIAL_PHOTOS,
        "max_side": settings.LLM_IMAGE_MAX_SIDE,
        "reads_prompt": settings.LLM_PROVIDER != "local",
    }
    return render(request, "prompt/draft.html", context)


@staff_only
@require_POST
def prompt_discard(request: StaffRequest) -> HttpResponse:
    request.session.pop(DRAFT, None)
    return redirect("prompt")


def _older_answers(current: PromptVersion) -> dict[str, Any]:
    """How many answers would become unknown, and about how much asking again would cost."""
    found = current.known_answers().aggregate(
        count=Count("pk"),
        known_cost=Sum("cost", default=Decimal(0)),
        unpriced=Count("pk", filter=Q(cost=0)),
    )
    # An older installation did not write down what its entries cost.
    cost = found["known_cost"] + found["unpriced"] * settings.COST_PER_API_CALL
    return {"count": found["count"], "cost": cost}


@staff_only
@require_POST
def prompt_trial(request: StaffRequest) -> HttpResponse:
    """What the prompt in force and a draft make of one photo."""
    form = TrialForm(request.POST, request.FILES)
    if not form.is_valid():
        return HttpResponse(status=400)
    upload = form.cleaned_data["image"].read()
    current = PromptVersion.objects.current()
    answers = [_try(upload, current), _try(upload, PromptVersion(text=form.cleaned_data["text"]))]
    categories = {trial.entry.category for trial, _refusal in answers if trial}
    context = {"answers": answers, "differs": len(categories) > 1}
    return render(request, "prompt/trial.html", context)


@staff_only
@require_http_methods(["GET", "POST"])
def prompt_publish(request: StaffRequest) -> HttpResponse:
    if request.method == "GET":  # from the login, after a session that ended meanwhile
        return redirect("prompt-draft")
    form = PublishForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("This draft cannot be published."), extra_tags="bad")
        return redirect("prompt")
    draft = form.cleaned_data
    try:
        published = PromptVersion.objects.publish(
            draft["text"],
            author=request.user,
            after=draft["based_on"],
            keep_older=draft["older"] == "keep",
            restored_from=draft["restored_from"],
        )
    except IntegrityError:
        current = PromptVersion.objects.current()
        sentence = _("Somebody published version %(version)s meanwhile. Compare your draft again.")
        messages.error(request, sentence % {"version": current.version}, extra_tags="bad")
        request.session[DRAFT] = {name: draft[name] for name in ("text", "restored_from")}
        return redirect("prompt-draft")
    request.session.pop(DRAFT, None)
    sentence = _("Version %(version)s is in force.")
    messages.success(request, sentence % {"version": published.version}, extra_tags="good")
    return redirect("prompt")


# --- Settings page ------------------------------------------------------------------------


@staff_only
@require_GET
def settings_page(request: StaffRequest) -> HttpResponse:
    context = {
        "groups": in_force.groups(),
        "categories": CATEGORIES,
        "base_url": request.build_absolute_uri("/api/v1"),
    }
    return render(request, "settings/page.html", context)
