"""Examines the quality of the live model."""

from collections.abc import Iterator

from django.utils import translation

from operations.doctor.findings import Finding, Options, ok, warning
from quality.evaluation import gate
from quality.evaluation.summaries import Summary

ADVICE = (
    "Run manage.py evaluate DIR on labelled photos, go back, or accept it on the page /quality/."
)


def examine_quality(options: Options) -> Iterator[Finding]:
    """The last run of the live model, compared with the previously measured model."""
    with translation.override("en"):
        state = gate.live_model()
        objection = state.verdict.objection if state else ""
    if state is None:
        return
    before, after = state.verdict.before, state.verdict.after
    if before is None and after is None:
        yield ok("quality", "Not measured; manage.py evaluate DIR measures it.")
        return
    said = "; ".join(_words(one) for one in (after, before) if one)
    if state.is_in_question:
        yield warning("quality", f"{state.subject.model}: {objection} {said}.", ADVICE)
    else:
        yield ok("quality", f"{said}.")


def _words(summary: Summary) -> str:
    run, low, high = summary.run, *summary.interval
    day = run.started_at.date()
    return (
        f"{run.model} was right on {summary.accuracy or 0:.1%} ({low:.1%} to {high:.1%}) of "
        f"{summary.photos} photos on {day} (run {run.pk})"
    )
