"""Measure a model and a prompt on labelled photos."""

import json
import sys
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from classification.management.arguments import yuan
from classification.models import PromptVersion
from core.database.locks import exclusive
from quality.evaluation.comparison import compare
from quality.evaluation.forecast import forecast
from quality.evaluation.labelled_set import LabelledPhoto, LabelledSet, SetError, read_set
from quality.evaluation.measuring import Measuring
from quality.evaluation.report import read_report
from quality.evaluation.resuming import open_photos, open_run
from quality.evaluation.subject import Subject, SubjectError, find_subject
from quality.evaluation.tables import comparison_table, report_table
from quality.models import EvaluationRun


class Command(BaseCommand):
    help = (
        "Measure a model and a prompt on labelled photos: accuracy, precision and recall per "
        "category, confusion, calibration, time, tokens and cost. Nothing is cached or logged; "
        "calls are in the ledger, and DAILY_COST_LIMIT applies. The same command resumes an "
        "interrupted run: no photo is paid for twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", type=Path, metavar="DIR", help="a folder with one subfolder per category"
        )
        parser.add_argument(
            "--provider", default="", help="aliyun, openai or local; default: LLM_PROVIDER"
        )
        parser.add_argument("--model", default="", help="default: the live one")
        prompt = parser.add_mutually_exclusive_group()
        prompt.add_argument("--prompt-version", type=int, metavar="N", help="a published prompt")
        prompt.add_argument("--prompt-file", type=Path, metavar="FILE", help="a draft, in UTF-8")
        parser.add_argument(
            "--max-side", type=int, metavar="N", help="pixels; default: LLM_IMAGE_MAX_SIDE"
        )
        parser.add_argument(
            "--max-cost",
            type=yuan,
            metavar="YUAN",
            help="the most to spend now: no call starts that could exceed it",
        )
        parser.add_argument("--compare", type=int, metavar="RUN", help="an earlier run's number")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        earlier = _run(options["compare"]) if options["compare"] else None
        try:
            labelled = read_set(options["folder"])
            subject = find_subject(
                options["provider"], options["model"], _prompt(options), options["max_side"]
            )
        except (SetError, SubjectError, OSError) as error:
            raise CommandError(str(error)) from error
        for name in labelled.copies:
            self.stderr.write(f"{name} is a copy of another file, and counts once.")
        # Otherwise, two commands at once would each open a run and pay for its photos.
        with exclusive(f"evaluation-{subject.key(labelled.hash)[:32]}", wait_seconds=0) as is_mine:
            if not is_mine:
                raise CommandError("Another process is working on the same run.")
            run = open_run(labelled, subject)
            self._measure(run, labelled, subject, options["max_cost"])
        self._write_report(run, earlier, as_json=options["json"])

    def _measure(
        self, run: EvaluationRun, labelled: LabelledSet, subject: Subject, max_cost: Decimal | None
    ) -> None:
        """Ask about the open photos, and finish the run. Raises CommandError if photos remain open;
        the run can then be resumed."""
        photos = open_photos(run, labelled.photos)
        self._announce(run, subject, photos, max_cost)
        measuring = Measuring(run, subject, max_cost)
        bar = tqdm(total=len(photos), unit="photo", file=sys.stderr, disable=None)
        left = 0
        with bar:
            for result in measuring.results(photos):
                bar.update()
                left += result is None
        if left:
            failed = ", ".join(sorted(set(measuring.failures)))
            why = measuring.stopped_because or failed
            raise CommandError(
                f"{left} photos are still open ({why}). Run {run.pk} has the others; the same "
                "command resumes it without paying for them again."
            )
        snapshots = run.results.exclude(snapshot="").values_list("snapshot", flat=True).distinct()
        run.snapshot = ", ".join(sorted(snapshots))[:255]
        run.finished_at = timezone.now()
        run.save(update_fields=["snapshot", "finished_at"])

    def _announce(
        self,
        run: EvaluationRun,
        subject: Subject,
        photos: list[LabelledPhoto],
        max_cost: Decimal | None,
    ) -> None:
        """Print what the run will ask and cost. Raises CommandError if it costs too much."""
        cost = forecast(subject, len(photos))
        done = run.photo_count - len(photos)
        self.stderr.write(
            f"Run {run.pk}: {len(photos)} photos for {subject.model}"
            + (f", {done} done before" if done else "")
            + f". {cost.sentence}"
        )
        if max_cost is not None and cost.expected is not None and cost.expected > max_cost:
            raise CommandError(f"That is more than --max-cost {max_cost}: nothing was asked.")

    def _write_report(
        self, run: EvaluationRun, earlier: EvaluationRun | None, *, as_json: bool
    ) -> None:
        figures = read_report(run)
        compared = compare(earlier, run) if earlier else None
        if as_json:
            if compared:
                figures["comparison"] = compared.figures
            self.stdout.write(json.dumps(figures, ensure_ascii=False, indent=2))
            return
        self.stdout.write(report_table(figures))
        if compared:
            self.stdout.write("\n" + comparison_table(compared))


def _run(number: int) -> EvaluationRun:
    run = EvaluationRun.objects.filter(pk=number).first()
    if run is None:
        raise CommandError(f"There is no run {number}.")
    return run


def _prompt(options: dict[str, Any]) -> PromptVersion | None:
    """The prompt that the options name; None for the live one."""
    if file := options["prompt_file"]:
        # As the prompt page stores a text, so that the draft is recognised when it is published.
        text = file.read_text(encoding="utf-8").replace("\r\n", "\n").strip()
        return PromptVersion(text=text)
    if number := options["prompt_version"]:
        version = PromptVersion.objects.filter(version=number).first()
        if version is None:
            raise CommandError(f"There is no version {number} of the prompt.")
        return version
    return None
