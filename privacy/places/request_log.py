"""A person's rows of the request log, and their addresses.

Rows of past days are deleted, once they are rolled up. Today's rows are anonymized instead: new
quota counters start from them, so forgetting must not reset an app's quota.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Min, Value
from django.db.models.functions import MD5, Concat, Substr
from django.utils import timezone

from classification.models import RequestLog
from classification.pipeline.request_log import FORGOTTEN_COLUMNS
from privacy.people import Person
from privacy.places import figures
from privacy.places.task import ErasureTask, ForgottenRows, Row
from privacy.places.windows import read_by_windows
from stats.models import DayAddress
from stats.rollup.chunks import rolled_up_to

BATCH_ROWS = 1000
LOG = RequestLog._meta.db_table
EXPORTED = (
    "request_id",
    "app_id",
    "ip_address",
    "image_hash",
    "image_size",
    "category",
    "confidence",
    "from_cache",
    "processing_time_ms",
    "created_at",
    "outcome",
    "source",
    "cost",
    "saved",
)


def forget(task: ErasureTask) -> Iterator[ForgottenRows]:
    """Forget the rows that are rolled up, which are all that can name the person."""
    columns = ("created_date", "ip_address")
    windows = read_by_windows(
        task.person, RequestLog, columns=columns, last_id=rolled_up_to(RequestLog)
    )
    for found in windows:
        yield LOG, 0  # reports progress
        for start in range(0, len(found), BATCH_ROWS):
            rows, addresses = _forget_batch(task.person, found[start : start + BATCH_ROWS])
            yield LOG, rows
            yield DayAddress._meta.db_table, addresses


def read(person: Person) -> Iterator[Row]:
    """The rows as exported."""
    for found in read_by_windows(person, RequestLog, columns=EXPORTED):
        yield from found


def count(person: Person) -> int:
    """The number of rows; from the statistics, since reading the log takes long."""
    first = RequestLog.objects.aggregate(day=Min("created_date"))["day"]
    if first is None:
        return 0
    rolled = sum(rows for day, rows in figures.rows_by_day(person).items() if day >= first)
    return rolled + person.rows(RequestLog).filter(pk__gt=rolled_up_to(RequestLog)).count()


def _forget_batch(person: Person, batch: list[dict[str, Any]]) -> tuple[int, int]:
    today = timezone.localdate()
    with transaction.atomic():
        rows = RequestLog.objects.filter(
            pk__in=[row["pk"] for row in batch], user_id__in=person.kept_ids
        )
        addresses = {(row["created_date"], row["ip_address"]) for row in batch}
        renamed = _forget_addresses(addresses)
        deleted, _ = rows.filter(created_date__lt=today).delete()
        emptied = rows.filter(created_date__gte=today).update(**FORGOTTEN_COLUMNS)
    return deleted + emptied, renamed


def _forget_addresses(addresses: Iterable[tuple[date, str | None]]) -> int:
    """Replace addresses by salted hashes, so that their number stays the same; the salt is not
    stored. A client that returns today counts again."""
    by_day: dict[date, list[str]] = defaultdict(list)
    for day, address in addresses:
        if address:
            by_day[day].append(address)
    salted = MD5(Concat("ip_address", Value(secrets.token_hex(16))))
    other = Concat(Value("forgotten-"), Substr(salted, 1, 24))
    rows = (
        DayAddress.objects.filter(day=day, ip_address__in=those)
        for day, those in sorted(by_day.items())
    )
    return sum(each.update(ip_address=other) for each in rows)
