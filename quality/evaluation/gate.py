"""The quality gate: compares the measurements of a change with those of what is live."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from django.urls import reverse
from django.utils.translation import gettext as _

from classification.models import PromptVersion
from classification.staff.publish_checks import DraftFinding, Note
from classification.templatetags.figures import percent
from quality.evaluation.comparison import Comparison, compare
from quality.evaluation.subject import Subject, live_subject
from quality.evaluation.summaries import Summary, last_run, summarize
from quality.models import AcceptedModel, EvaluationRun, prompt_hash

Reason = Literal["", "never_measured", "other_photos", "worse"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The last runs of what is live and of what would replace it, if there are any, and their
    comparison."""

    before: Summary | None
    after: Summary | None
    compared: Comparison | None

    @property
    def reason(self) -> Reason:
        """Why the change needs an explicit confirmation; "" if it does not."""
        if self.after is None:
            return "never_measured"
        if self.compared is None:
            return ""
        if not self.compared.pairs:
            return "other_photos"
        return "worse" if self.compared.is_worse else ""

    @property
    def objection(self) -> str:
        """The reason as text."""
        if self.reason == "worse" and self.before and self.after:
            shares = {
                "before": percent(self.before.accuracy),
                "after": percent(self.after.accuracy),
            }
            return _("It is measurably worse: %(before)s before, %(after)s after.") % shares
        sentences = {
            "never_measured": _("It was never measured."),
            "other_photos": _("It was measured on different photos than the live version."),
        }
        return sentences.get(self.reason, "")


def judge(before: EvaluationRun | None, after: EvaluationRun | None) -> Verdict:
    """The verdict on a change, given the last runs before and after it."""
    return Verdict(
        before=summarize([before])[0] if before else None,
        after=summarize([after])[0] if after else None,
        compared=compare(before, after) if before and after else None,
    )


@dataclass(frozen=True, slots=True)
class ModelState:
    """The live model (`verdict.after`) compared with the other model measured last;
    `is_in_question` until staff accept the objection."""

    subject: Subject
    verdict: Verdict
    is_in_question: bool


def live_model() -> ModelState | None:
    """The state of the live model; None if no provider is usable."""
    live = live_subject()
    if live is None:
        return None
    runs = EvaluationRun.objects.filter(finished_at__isnull=False).order_by("finished_at", "pk")
    of_live = {"provider": live.provider_name, "model": live.model}
    verdict = judge(runs.exclude(**of_live).last(), runs.filter(**of_live).last())
    if verdict.before is None or verdict.reason not in ("never_measured", "worse"):
        return ModelState(live, verdict, is_in_question=False)
    run = verdict.after.run if verdict.after else None
    accepted = AcceptedModel.objects.filter(**of_live, reason=verdict.reason, run=run)
    return ModelState(live, verdict, is_in_question=not accepted.exists())


def accept_model(state: ModelState) -> AcceptedModel:
    """Accept the live model despite the objection."""
    return AcceptedModel.objects.create(
        provider=state.subject.provider_name,
        model=state.subject.model,
        reason=state.verdict.reason,
        run=state.verdict.after.run if state.verdict.after else None,
    )


def check_draft(text: str) -> DraftFinding | None:
    """The finding on a draft of the prompt; None if the live model reads no prompt."""
    live = live_subject()
    if live is None or live.configured is None:
        return None
    verdict = judge(last_run(live), last_run(replace(live, prompt=text)))
    return DraftFinding("quality/gate.html", {"verdict": verdict}, verdict.objection)


def note_versions(versions: Sequence[PromptVersion]) -> dict[int, Note]:
    """Prompt version -> its accuracy in its last run."""
    hashes = {version.version: prompt_hash(version.text) for version in versions}
    runs = EvaluationRun.objects.filter(
        prompt_hash__in=hashes.values(), finished_at__isnull=False
    ).order_by("finished_at", "pk")
    latest = {run.prompt_hash: run for run in runs}
    notes = {one.run.prompt_hash: _note(one) for one in summarize(list(latest.values()))}
    return {number: notes[text] for number, text in hashes.items() if text in notes}


def _note(summary: Summary) -> Note:
    sentence = _("%(accuracy)s right, %(model)s")
    values = {"accuracy": percent(summary.accuracy), "model": summary.run.model}
    return Note(sentence % values, reverse("quality-run", args=[summary.run.pk]))
