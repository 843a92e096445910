"""Examine everything the service depends on."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from operations.doctor.examinations import EXAMINATIONS
from operations.doctor.findings import STATUS, Finding, Options, examine

MARKS = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}


class Command(BaseCommand):
    help = (
        "Check settings, database, migrations, rows, Redis, disks, clocks, key, models, static "
        "files, log and timers, with advice for each finding. The exit status is 0 if all is "
        "well, 1 with warnings, 2 with problems. No paid call is made without --paid."
    )
    # System checks are part of the findings.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--paid", action="store_true", help="make one paid call to the model")
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")
        parser.add_argument(
            "--free-mb",
            type=int,
            default=1024,
            help="megabytes that each disk must have free; default: 1024",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        for finding in examine(EXAMINATIONS, Options(options["paid"], options["free_mb"])):
            found.append(finding)
            if not options["json"]:
                self.stdout.write(_line(finding))
        if options["json"]:
            rows = [finding._asdict() for finding in found]
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2))
        sys.exit(max(STATUS[finding.level] for finding in found))


def _line(finding: Finding) -> str:
    line = f"{MARKS[finding.level]}  {finding.subject}: {finding.message}"
    return f"{line}\n         → {finding.advice}" if finding.advice else line
