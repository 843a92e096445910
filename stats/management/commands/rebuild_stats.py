"""Recompute the statistics from the log and the ledger, if they disagree."""

import sys
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Min
from django.utils import timezone
from tqdm import tqdm

from classification.models import ModelCall, RequestLog
from stats.rollup import rebuild


class Command(BaseCommand):
    help = (
        "Recount every day that is still in the request log, one transaction per day; the "
        "service may keep running. Days purged from the log keep their figures."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from", dest="first", type=date.fromisoformat, help="first day, such as 2026-01-31"
        )
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last day")

    def handle(self, *args: Any, **options: Any) -> None:
        last = options["last"] or timezone.localdate()
        first = options["first"] or _oldest_day() or last
        rebuilt = 0
        days = rebuild.rebuild_days(first, last)
        for count in tqdm(days, unit="day", file=sys.stderr, disable=None):
            if count.is_purged:
                self.stdout.write(f"{count.day}: kept, because some of its rows have been purged.")
                continue
            rebuilt += 1
            if count.missing:
                self.stdout.write(f"{count.day}: {count.missing} rows were missing.")
        rebuild.rebuild_users()
        self.stdout.write(f"{rebuilt} days recounted.")


def _oldest_day() -> date | None:
    day: date | None = RequestLog.objects.aggregate(day=Min("created_date"))["day"]
    called = ModelCall.objects.aggregate(at=Min("created_at"))["at"]
    days = [day] if day else []
    if called:
        days.append(timezone.localtime(called).date())
    return min(days, default=None)
