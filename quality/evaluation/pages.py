"""The pages of evaluation runs: all, one, and a comparison of two."""

from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from classification.categories import CATEGORIES
from core.audit import record
from core.staff import StaffRequest, staff_only, staff_with
from quality.evaluation import gate
from quality.evaluation.charts import cost_chart, reliability_chart, shade
from quality.evaluation.comparison import compare
from quality.evaluation.report import NO_ANSWER, Figures, read_report
from quality.evaluation.summaries import summarize
from quality.evaluation.traffic import new_photos_a_month, saved_a_month
from quality.models import EvaluationRun

SHOWN_RUNS = 100
MAX_RUN = 2**31


class Cell(NamedTuple):
    photos: int
    shade: int
    is_right: bool


@staff_only
@require_GET
def runs(request: StaffRequest) -> HttpResponse:
    """Every run, and accuracy over cost."""
    summaries = summarize(list(EvaluationRun.objects.order_by("-pk")[:SHOWN_RUNS]))
    context = {
        "summaries": summaries,
        "chart": cost_chart(summaries),
        "live": gate.live_model(),
    }
    return render(request, "quality/runs.html", context)


@staff_with("classification.publish_promptversion")
@require_POST
def accept_model(request: StaffRequest) -> HttpResponse:
    """Accept the live model, although it was never measured or is measurably worse: as the page
    said, or it shows the page as it is by now."""
    state = gate.live_model()
    seen = (request.POST.get("model"), request.POST.get("objection"))
    if state and state.is_in_question and seen == (state.subject.model, state.verdict.objection):
        accepted = gate.accept_model(state)
        sentence = _("Model accepted:") + f" {state.verdict.objection}"
        record(request.user, accepted, sentence)
        messages.success(request, _("Model accepted."), extra_tags="good")
    return redirect("quality-runs")


@staff_only
@require_GET
def run(request: StaffRequest, number: int) -> HttpResponse:
    """One run with all its figures."""
    shown = get_object_or_404(EvaluationRun, pk=min(number, MAX_RUN))
    figures = read_report(shown)
    context = {
        "run": shown,
        "summary": summarize([shown])[0],
        "figures": figures,
        "categories": [(key, row) for key, row in figures["categories"].items() if row["photos"]],
        "chart": reliability_chart(figures["calibration"]),
        "columns": _columns(),
        "grid": _grid(figures),
    }
    return render(request, "quality/run.html", context)


@staff_only
@require_GET
def comparison(request: StaffRequest) -> HttpResponse:
    """A comparison of two runs, the older one first."""
    numbers = sorted({int(n) for n in request.GET.getlist("run") if n.isdecimal() and len(n) < 10})
    chosen = list(EvaluationRun.objects.filter(pk__in=numbers[:2]).order_by("pk"))
    if len(chosen) != 2 or len(numbers) != 2:
        messages.error(request, _("Choose two runs."), extra_tags="bad")
        return redirect("quality-runs")
    first, second = summarize(chosen)
    photos = new_photos_a_month()
    context = {
        "first": first,
        "second": second,
        "compared": compare(first.run, second.run),
        "photos_a_month": photos,
        "saved_a_month": saved_a_month(first, second, photos),
        "categories": _side_by_side(read_report(first.run), read_report(second.run)),
    }
    return render(request, "quality/comparison.html", context)


def _columns() -> list[str]:
    return [*(category.key for category in CATEGORIES), NO_ANSWER]


def _grid(figures: Figures) -> list[tuple[str, list[Cell]]]:
    """The confusion matrix: a row for each category with photos."""
    rows = []
    for key, counts in figures["confusion"].items():
        photos = figures["categories"][key]["photos"]
        if photos:
            cells = [
                Cell(counts.get(name, 0), shade(counts.get(name, 0), photos), name == key)
                for name in _columns()
            ]
            rows.append((key, cells))
    return rows


def _side_by_side(first: Figures, second: Figures) -> list[tuple[str, Any, Any]]:
    """The figures of each category in both runs."""
    return [
        (key, row, second["categories"][key])
        for key, row in first["categories"].items()
        if row["photos"] or second["categories"][key]["photos"]
    ]
