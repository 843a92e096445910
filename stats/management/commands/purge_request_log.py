"""Delete old rows of the request log, and what is kept as long; the statistics stay."""

import sys
from argparse import ArgumentParser
from collections import deque
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max, Min, Q, QuerySet
from django.utils import timezone
from tqdm import tqdm

from classification.management import arguments
from classification.models import CallFailure, DeclaredHash, RequestLog, TaskRun
from classification.monitoring.task_runs import record_run
from core.database.batches import delete_in_batches
from stats import demo
from stats.models import DayAddress, Minute, MinuteCategory, MinuteError
from stats.rollup.chunks import add_all_late_rows, roll_up, rolled_up_to
from stats.signals import log_purged

# The purge runs daily. After a longer pause, the clock may have jumped ahead, so that all rows seem
# old.
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
        upto = rolled_up_to(RequestLog)
        old = _rolled_rows_before(first_kept, upto)
        if options["dry_run"]:
            self.stdout.write(f"{old.count()} rows would be deleted.")
            return
        batches = tqdm(delete_in_batches(old), unit="batch", file=sys.stderr, disable=None)
        deleted = sum(batches)
        _purge_statistics(first_kept, upto)
        _purge_other_tables(timezone.now() - age)
        record_run(NAME)
        self.stdout.write(f"{deleted} rows deleted.")

    def _check_clock(self) -> None:
        """Raise CommandError after LONGEST_PAUSE; the next run trusts the clock."""
        last = TaskRun.objects.filter(name=NAME).first()
        if last and timezone.now() - last.ended_at > LONGEST_PAUSE:
            record_run(NAME)
            raise CommandError(
                "Nothing was deleted: by this host's clock, "
                f"it is {timezone.localtime():%Y-%m-%d}, and the last purge was on "
                f"{timezone.localtime(last.ended_at):%Y-%m-%d}. If the clock is right, run it "
                "again, or wait for the timer."
            )


def _rolled_rows_before(first_kept: date, upto: int) -> QuerySet[RequestLog]:
    """The log rows of earlier days that are rolled up, except for demo data."""
    old = RequestLog.objects.filter(created_date__lt=first_kept)
    ids = old.aggregate(first=Min("pk"), last=Max("pk"))  # from the index of days alone
    old = old.filter(pk__gte=ids["first"] or 0, pk__lte=min(ids["last"] or 0, upto))
    # Older installations' tables may have rows without a request id.
    return old.filter(Q(request_id=None) | ~Q(request_id__startswith=demo.MARK))


def _purge_statistics(first_kept: date, upto: int) -> None:
    """Delete the minutes and addresses of earlier days, which are kept only as long as the log."""
    yesterday = timezone.localdate() - timedelta(days=1)  # is compared with today
    kept_from = min(first_kept, yesterday)
    for table in (Minute, MinuteCategory, MinuteError):
        table._default_manager.filter(day__lt=kept_from).delete()
    # The addresses of a day tell which of its later rows are of new ones.
    later = RequestLog.objects.filter(pk__gt=upto).aggregate(day=Min("created_date"))
    addresses = DayAddress.objects.filter(day__lt=min(kept_from, later["day"] or kept_from))
    addresses.exclude(ip_address__startswith=demo.NETWORK).delete()


def _purge_other_tables(before: datetime) -> None:
    """Delete what is kept as long as the log: audit entries, unused declared hashes, votes, and the
    replies of failed calls."""
    deque(delete_in_batches(LogEntry.objects.filter(action_time__lt=before)), maxlen=0)
    deque(delete_in_batches(DeclaredHash.objects.filter(asked_at__lt=before)), maxlen=0)
    log_purged.send(Command, before=before)
    deque(delete_in_batches(CallFailure.objects.filter(created_at__lt=before)), maxlen=0)
