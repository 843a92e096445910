"""Delete old rows of the request log; what they added up to stays."""

import sys
from argparse import ArgumentParser
from collections import deque
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max, Min, Q
from django.utils import timezone
from tqdm import tqdm

from classification.management import arguments
from classification.models import CallFailure, DeclaredHash, RequestLog, TaskRun
from classification.monitoring.task_runs import record_run
from core.database.batches import delete_in_batches
from stats import demo
from stats.models import DayAddress, Minute, MinuteCategory, MinuteError, RollUp
from stats.rollup.chunks import add_all_late_rows, roll_up
from stats.signals import log_purged

# It runs daily: after so long, the clock may have jumped ahead, and all rows seem old.
LONGEST_PAUSE = timedelta(days=7)
NAME = "purge_request_log"


class Command(BaseCommand):
    help = (
        "Delete rows of the request log older than LOG_RETENTION_DAYS, in small batches while "
        "others write. The statistics of past days do not change. After a week without a purge, "
        "the first one deletes nothing: the clock may be wrong. Demo data is kept: see "
        "seed_demo_data --remove."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=arguments.days,
            help="such as 30d, instead of LOG_RETENTION_DAYS",
        )
        parser.add_argument("--dry-run", action="store_true", help="count only")

    def handle(self, *args: Any, **options: Any) -> None:
        age = options["older_than"]
        if age is None:
            age = timedelta(days=settings.LOG_RETENTION_DAYS)
            if not options["dry_run"]:
                self._check_clock()
        first_kept = timezone.localdate() - age
        deque(roll_up(), maxlen=0)
        add_all_late_rows()
        state = RollUp.objects.filter(pk=RequestLog._meta.db_table).first() or RollUp()
        old = RequestLog.objects.filter(created_date__lt=first_kept)
        ids = old.aggregate(first=Min("pk"), last=Max("pk"))  # from the index of days alone
        old = old.filter(pk__gte=ids["first"] or 0, pk__lte=min(ids["last"] or 0, state.upto))
        # Older installations' tables take a row without an id.
        old = old.filter(Q(request_id=None) | ~Q(request_id__startswith=demo.MARK))
        if options["dry_run"]:
            self.stdout.write(f"{old.count()} rows would be deleted.")
            return
        batches = tqdm(delete_in_batches(old), unit="batch", file=sys.stderr, disable=None)
        deleted = sum(batches)
        yesterday = timezone.localdate() - timedelta(days=1)  # is compared with today
        for table in (Minute, MinuteCategory, MinuteError):
            table._default_manager.filter(day__lt=min(first_kept, yesterday)).delete()
        # Those of a day tell who is new among its later rows.
        later = RequestLog.objects.filter(pk__gt=state.upto).aggregate(day=Min("created_date"))
        DayAddress.objects.filter(
            day__lt=min(first_kept, yesterday, later["day"] or yesterday)
        ).exclude(ip_address__startswith=demo.NETWORK).delete()
        before = timezone.now() - age
        audit = LogEntry.objects.filter(action_time__lt=before)
        deque(delete_in_batches(audit), maxlen=0)
        unasked = DeclaredHash.objects.filter(asked_at__lt=before)
        deque(delete_in_batches(unasked), maxlen=0)
        log_purged.send(type(self), before=before)
        failures = CallFailure.objects.filter(created_at__lt=before)
        deque(delete_in_batches(failures), maxlen=0)
        record_run(NAME)
        self.stdout.write(f"{deleted} rows deleted.")

    def _check_clock(self) -> None:
        """Raise CommandError after LONGEST_PAUSE; the next run takes the clock's word."""
        last = TaskRun.objects.filter(name=NAME).first()
        if last and timezone.now() - last.ended_at > LONGEST_PAUSE:
            record_run(NAME)
            raise CommandError(
                "Nothing was deleted: by this host's clock, "
                f"it is {timezone.localtime():%Y-%m-%d}, and the last purge was on "
                f"{timezone.localtime(last.ended_at):%Y-%m-%d}. If the clock is right, run it "
                "again, or wait for the timer."
            )
