"""Export the statistics to a file, for spreadsheets, scripts, or comparison with a bill."""

import os
import sys
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from stats.exports.reports import REPORTS
from stats.exports.writers import WRITERS
from stats.figures import Figures
from stats.rollup.chunks import roll_up
from stats.snapshot import open_snapshot


class Command(BaseCommand):
    help = (
        "Export the statistics of a range of days: by day, category, user or app, or the ledger "
        "of model calls by day and model, to check against the provider's bill."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        today = timezone.localdate()
        parser.add_argument(
            "--from",
            dest="first",
            type=date.fromisoformat,
            default=today.replace(day=1),
            help="first day, such as 2026-01-31; default: the first of this month",
        )
        parser.add_argument(
            "--to",
            dest="last",
            type=date.fromisoformat,
            default=today,
            help="last day; default: today",
        )
        report = parser.add_mutually_exclusive_group()
        report.add_argument(
            "--report", choices=sorted(REPORTS), default="days", help="default: days"
        )
        report.add_argument(
            "--ledger",
            dest="report",
            action="store_const",
            const="ledger",
            help="the same as --report ledger",
        )
        parser.add_argument("--format", choices=sorted(WRITERS), default="csv", help="default: csv")
        parser.add_argument("--output", default="-", help="a file, or - for standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = options["first"], options["last"]
        if first > last:
            raise CommandError("--from must not be after --to.")
        report = REPORTS[options["report"]]
        deque(roll_up(), maxlen=0)
        with _output(options["output"]) as file, open_snapshot() as snapshot:
            rows = tqdm(
                report.rows(Figures(snapshot), first, last),
                total=report.at_most and report.at_most(),
                unit="row",
                file=sys.stderr,
                disable=None,
                delay=1,
            )
            WRITERS[options["format"]](file, report.columns, rows)


@contextmanager
def _output(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        try:
            yield sys.stdout.buffer
            sys.stdout.flush()
        except BrokenPipeError:
            # Otherwise Python reports the error again when it closes the pipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise CommandError("Standard output was closed.") from None
        return
    try:
        with Path(name).open("wb") as file:
            yield file
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}.") from error
