"""Forgets a person in every table, including rows that are yet to be written, even if it is
interrupted.

1. The person is marked: from now on, no process writes a row that names them.
2. Transactions that began before are waited for, and their rows are rolled up.
3. Everything is deleted, in batches that block nobody; a second run finds what is left.
4. The mark ends for requests that begin from now on, and the erasure no longer names the person.
"""

import time
from collections.abc import Iterator

from django.db.models import Max

from classification.models import RequestLog
from clients import forgotten
from privacy.models import Erasure
from privacy.people import Person
from privacy.personal_data import PLACES
from privacy.places.request_log import LOG
from privacy.places.task import ErasureTask
from stats.rollup import chunks
from stats.snapshot import READER_CHUNK_ROWS

RENEW_SECONDS = 10.0
POLL_SECONDS = 0.5


def run(erasure: Erasure) -> None:
    """Run an erasure completely. Safe to run concurrently and repeatedly. Raises DatabaseError."""
    for _ in steps(erasure):
        pass


def steps(erasure: Erasure) -> Iterator[int]:
    """Run an erasure in steps; yields the number of rows of each."""
    if erasure.user_id is None or erasure.alias is None:  # another process has finished it
        return
    person = Person(erasure.user_id, erasure.app_id)
    forgotten.mark(person.kept_ids, person.app_id)
    yield from _wait_for_figures(erasure)
    renewed = time.monotonic()
    for place in PLACES:
        for table, rows in place.forget(ErasureTask(person, erasure.alias)):
            if rows or time.monotonic() - renewed > RENEW_SECONDS:
                erasure.count(table, rows)
                renewed = time.monotonic()
            yield rows
    forgotten.unmark(person.kept_ids, person.app_id)
    erasure.finish()


def _wait_for_figures(erasure: Erasure) -> Iterator[int]:
    """Wait until every row that may name the person is rolled up."""
    time.sleep(chunks.SETTLING_SECONDS)
    last_id = RequestLog.objects.aggregate(last=Max("pk"))["last"] or 0
    while True:
        for _ in chunks.roll_up(READER_CHUNK_ROWS):
            erasure.count(LOG, 0)
            yield 0
        if chunks.rolled_up_to(RequestLog) >= last_id:
            break
        time.sleep(POLL_SECONDS)
    chunks.add_all_late_rows()
