"""Add up the request log and the ledger, so that figures are read from small tables."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from stats import cache_totals
from stats.roll_ups import catch_up


class Command(BaseCommand):
    help = (
        "Add up what was logged since the last time. Run it every minute by a timer; safe to run "
        "twice, at once, or to kill."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        with tqdm(unit="row", unit_scale=True, file=sys.stderr, disable=None) as bar:
            for rows in catch_up():
                bar.update(rows)
                count += rows
        cache_totals.refresh()
        self.stdout.write(f"{count} rows added up.")
