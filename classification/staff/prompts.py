"""The prompt page: its history, and drafting, trying and publishing a new version."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from classification.models import PromptVersion
from classification.pipeline.served_entries import served_model_answers
from classification.providers import registry
from classification.staff import publish_checks
from classification.staff.forms import PromptForm, PublishForm, TrialForm
from classification.staff.playground import record_trial, try_model
from classification.staff.text_diff import differences
from core.audit import record
from core.staff import StaffRequest, staff_only, staff_with

MAX_TRIAL_PHOTOS = 8
PUBLISH = "classification.publish_promptversion"
TRY = "classification.try_model"
SESSION_KEY = "prompt_draft"


@staff_only
@require_GET
def page(request: StaffRequest) -> HttpResponse:
    form = PromptForm(initial={"text": PromptVersion.objects.current().text})
    return render(
        request, "prompt/page.html", _context(form) | {"draft": request.session.get(SESSION_KEY)}
    )


def _context(form: PromptForm) -> dict[str, Any]:
    history = list(PromptVersion.objects.select_related("author").order_by("-version")[:100])
    return {
        "current": PromptVersion.objects.current(),
        "form": form,
        "history": publish_checks.add_notes(history),
    }


@staff_only
@require_GET
def older_version(request: StaffRequest, version: int) -> HttpResponse:
    """An older version compared with the live one, and a form to restore it."""
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


@staff_with(PUBLISH)
@require_http_methods(["GET", "POST"])
def review_draft(request: StaffRequest) -> HttpResponse:
    """A valid draft: its difference to the live prompt, a trial, and the form to publish it.

    It is kept in the author's session, so that it survives a reload, a change of language, and a
    version that somebody else publishes.
    """
    if request.method == "POST":
        form = PromptForm(request.POST)
        if not form.is_valid():
            return render(request, "prompt/page.html", _context(form))
        request.session[SESSION_KEY] = form.cleaned_data
        return redirect("prompt-draft")
    draft = request.session.get(SESSION_KEY)
    if draft is None:
        return redirect("prompt")
    current = PromptVersion.objects.current()
    context = {
        "current": current,
        "draft": draft,
        "pieces": differences(current.text, draft["text"]),
        "publish_form": PublishForm(initial=draft),
        "findings": publish_checks.check_draft(draft["text"]),
        "older": _older_answers(current),
        "max_photos": MAX_TRIAL_PHOTOS,
        "max_side": settings.LLM_IMAGE_MAX_SIDE,
        "reads_prompt": settings.LLM_PROVIDER != "local",
    }
    return render(request, "prompt/draft.html", context)


@staff_with(PUBLISH)
@require_POST
def discard_draft(request: StaffRequest) -> HttpResponse:
    request.session.pop(SESSION_KEY, None)
    return redirect("prompt")


def _older_answers(current: PromptVersion) -> dict[str, Any]:
    """How many answers publishing would invalidate, and roughly what classifying them again would
    cost."""
    found = served_model_answers(current.accepted_from).aggregate(
        count=Count("pk"),
        measured=Count("input_tokens"),
        input_tokens=Sum("input_tokens", default=0),
        output_tokens=Sum("output_tokens", default=0),
    )
    count, measured = found["count"], found["measured"]
    prices, model, now = settings.LLM_PRICES, registry.models()[0], timezone.now()
    if not measured or prices.price(model, now) is None:
        return {"count": count, "cost": count * settings.COST_PER_API_CALL}
    # At today's price, since another model may be asked now than when they were made.
    total = prices.cost(model, now, found["input_tokens"], found["output_tokens"]).yuan
    return {"count": count, "cost": total * count / measured}


@staff_with(TRY)
@require_POST
def try_draft(request: StaffRequest) -> HttpResponse:
    """The answers to one photo with the live prompt and with a draft."""
    form = TrialForm(request.POST, request.FILES)
    if not form.is_valid():
        return HttpResponse(status=400)
    upload = form.cleaned_data["image"].read()
    current = PromptVersion.objects.current()
    draft = PromptVersion(text=form.cleaned_data["text"])
    answers = [try_model(upload, current), try_model(upload, draft)]
    record_trial(request.user, *answers)
    categories = {trial.entry.category for trial, _error in answers if trial}
    context = {"answers": answers, "differs": len(categories) > 1}
    return render(request, "prompt/trial.html", context)


@staff_with(PUBLISH)
@require_http_methods(["GET", "POST"])
def publish_draft(request: StaffRequest) -> HttpResponse:
    if request.method == "GET":  # redirected from the login, after the session expired
        return redirect("prompt-draft")
    form = PublishForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("This draft cannot be published."), extra_tags="bad")
        return redirect("prompt")
    draft = form.cleaned_data
    current = PromptVersion.objects.current()
    if (draft["based_on"], draft["text"]) == (current.version, current.text):
        sentence = _("This is the live prompt already; nothing was published.")
        return _back_to_draft(request, draft, sentence)
    objections = publish_checks.objections(draft["text"])
    # The objections may have changed since the page was opened, such as after a new evaluation
    # run: a confirmation only counts for the sentence it was shown with.
    if not set(objections) <= set(request.POST.getlist("accepts")):
        return _back_to_draft(request, draft, " ".join(objections))
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
        sentence = _(
            "Version %(version)s has been published in the meantime. Compare your draft again."
        )
        return _back_to_draft(request, draft, sentence % {"version": current.version})
    request.session.pop(SESSION_KEY, None)
    record(request.user, published, " ".join([_("Prompt published"), *objections]))
    sentence = _("Version %(version)s is live.")
    messages.success(request, sentence % {"version": published.version}, extra_tags="good")
    return redirect("prompt")


def _back_to_draft(request: StaffRequest, draft: dict[str, Any], why: str) -> HttpResponse:
    messages.error(request, why, extra_tags="bad")
    request.session[SESSION_KEY] = {name: draft[name] for name in ("text", "restored_from")}
    return redirect("prompt-draft")
