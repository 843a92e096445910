"""Roll up the request log and the ledger into the small tables that statistics are read from."""

import os
import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from classification.monitoring.task_runs import record_run
from stats.rollup import cache_totals, rebuild
from stats.rollup.chunks import catch_up, has_settled_rows

# Alerts compare hours with those of the last seven days; older days wait for rebuild_stats.
FILLED_DAYS = 8


class Command(BaseCommand):
    help = (
        "Add what was logged since the last run to the statistics. Run it from a timer, every"
        " minute; it is safe to run twice, concurrently, or to kill."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        with tqdm(unit="row", unit_scale=True, file=sys.stderr, disable=None) as bar:
            for rows in catch_up():
                bar.update(rows)
                count += rows
        if not count and has_settled_rows():
            # A timer must not record it as a success.
            raise CommandError(
                "Another run is rolling up; this one did nothing.", returncode=os.EX_TEMPFAIL
            )
        for age in range(FILLED_DAYS):
            rebuild.fill_minutes(timezone.localdate() - timedelta(days=age))
        cache_totals.refresh()
        record_run("roll_up_stats")
        self.stdout.write(f"{count} rows added.")
