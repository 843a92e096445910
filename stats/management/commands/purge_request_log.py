"""Delete old rows of the request log; what they added up to stays."""

import sys
from argparse import ArgumentParser
from collections import deque
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db.models import Max, Min
from django.utils import timezone
from tqdm import tqdm

from classification.management import arguments
from classification.models import RequestLog
from stats import demo
from stats.models import DayAddress, Minute, RollUp
from stats.roll_ups import roll_up

BATCH_IDS = 2000


class Command(BaseCommand):
    help = (
        "Delete rows of the request log older than LOG_RETENTION_DAYS, in small batches while "
        "others write. The figures of past days do not change. Demo data stays: it has a "
        "command of its own."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=arguments.days,
            default=timedelta(days=settings.LOG_RETENTION_DAYS),
            help="such as 30d, instead of LOG_RETENTION_DAYS",
        )
        parser.add_argument("--dry-run", action="store_true", help="count only")

    def handle(self, *args: Any, **options: Any) -> None:
        first_kept = timezone.localdate() - options["older_than"]
        deque(roll_up(), maxlen=0)
        state = RollUp.objects.filter(pk=RequestLog._meta.db_table).first() or RollUp()
        old = RequestLog.objects.filter(created_date__lt=first_kept)
        ids = old.aggregate(first=Min("pk"), last=Max("pk"))  # from the index of days alone
        old = old.filter(pk__lte=state.upto).exclude(request_id__startswith=demo.MARK)
        if options["dry_run"]:
            self.stdout.write(f"{old.count()} rows would be deleted.")
            return
        deleted = 0
        if ids["first"] is not None:
            starts = range(ids["first"], ids["last"] + 1, BATCH_IDS)
            for start in tqdm(starts, unit="batch", file=sys.stderr, disable=None):
                batch = old.filter(pk__gte=start, pk__lt=start + BATCH_IDS)
                deleted += batch.delete()[0]
        yesterday = timezone.localdate() - timedelta(days=1)  # is compared with today
        Minute.objects.filter(day__lt=yesterday).delete()
        # Those of a day tell who is new among its later rows.
        later = RequestLog.objects.filter(pk__gt=state.upto).aggregate(day=Min("created_date"))
        DayAddress.objects.filter(
            day__lt=min(first_kept, yesterday, later["day"] or yesterday)
        ).exclude(ip_address__startswith=demo.NETWORK).delete()
        self.stdout.write(f"{deleted} rows deleted.")
