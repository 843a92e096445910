"""The pages about votes: the review queue, and agreement."""

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from classification.categories import BY_KEY, KEYS
from core.staff import StaffRequest, staff_only, staff_with
from quality.evaluation.calibration import live_calibration
from quality.feedback import corrections, queue, rates
from quality.feedback.corrections import Decision

PAGE_ITEMS = 50
AGREEMENT_DAYS = (7, 30, 90)
TABLES = (
    (
        gettext_lazy("By model and prompt version"),
        gettext_lazy("Model"),
        ("model", "prompt_version"),
    ),
    (gettext_lazy("By category"), gettext_lazy("Category"), ("category",)),
    (gettext_lazy("Day by day"), gettext_lazy("Day"), ("day",)),
)
DECISION = re.compile(r"([0-9a-f]{64}):(\w+):(\w+)")


@staff_with("classification.view_cacheentry")
@require_GET
def review(request: StaffRequest) -> HttpResponse:
    """The review queue: answers that users disagree with, and corrections by users."""
    context = {
        "items": queue.open_items(PAGE_ITEMS),
        "corrected": queue.corrected_by_users(PAGE_ITEMS),
        "calibration": live_calibration(),
        "may_decide": request.user.has_perm("classification.change_cacheentry"),
    }
    return render(request, "quality/review.html", context)


@staff_with("classification.change_cacheentry")
@require_POST
def decide(request: StaffRequest) -> HttpResponse:
    """Correct or confirm one photo, or all selected ones."""
    if "decision" in request.POST:
        decisions = _decisions([request.POST["decision"]])
    else:
        decisions = _decisions(request.POST.getlist("selected")[: 2 * PAGE_ITEMS])
        if request.POST.get("bulk") == "keep":
            decisions = [Decision(each.image_hash, each.seen, each.seen) for each in decisions]
    done = [each for each in decisions if corrections.decide(each, by=request.user)]
    corrected = sum(each.category != each.seen for each in done)
    _report(request, corrected, len(done) - corrected, len(decisions) - len(done))
    return redirect("quality-review")


def _decisions(texts: Iterable[str]) -> list[Decision]:
    """Parse the decisions in a form; invalid ones are skipped."""
    found = [match.groups() for text in texts if (match := DECISION.fullmatch(text))]
    return [Decision(*parts) for parts in found if parts[2] in KEYS]


def _report(request: StaffRequest, corrected: int, kept: int, left: int) -> None:
    if corrected:
        sentence = ngettext(
            "%(count)d answer corrected.", "%(count)d answers corrected.", corrected
        )
        messages.success(request, sentence % {"count": corrected}, extra_tags="good")
    if kept:
        sentence = ngettext("%(count)d answer confirmed.", "%(count)d answers confirmed.", kept)
        messages.success(request, sentence % {"count": kept}, extra_tags="good")
    if left:
        sentence = ngettext(
            "%(count)d answer was left as it is: it has changed in the meantime.",
            "%(count)d answers were left as they are: they have changed in the meantime.",
            left,
        )
        messages.warning(request, sentence % {"count": left}, extra_tags="warn")
    if not corrected + kept + left:
        messages.warning(request, _("Nothing was selected."), extra_tags="warn")


@staff_only
@require_GET
def agreement(request: StaffRequest) -> HttpResponse:
    """Agreement by model and prompt version, by category, and by day."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, AGREEMENT_DAYS) else 30
    tables = [_table(days, *each) for each in TABLES]
    context = {"tables": tables, "days": days, "all_days": AGREEMENT_DAYS}
    return render(request, "quality/agreement.html", context)


def _table(days: int, title: Any, head: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    rows = rates.rates(*rates.last_days(days), *keys)
    if keys == ("day",):
        rows.sort(key=lambda row: row.key, reverse=True)
    labelled = [(_label(keys, row.key), row) for row in rows]
    return {"title": title, "head": head, "rows": labelled}


def _label(keys: tuple[str, ...], key: rates.Key) -> str:
    if keys == ("category",):
        return BY_KEY[key[0]].name if key[0] in BY_KEY else str(key[0])
    if keys == ("day",):
        return f"{key[0]:%Y-%m-%d}"
    model, version = key
    return f"{model} · v{version}" if version else str(model)
