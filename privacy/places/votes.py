"""A person's votes."""

from collections.abc import Iterator

from privacy.people import Person
from privacy.places.task import ErasureTask, ForgottenRows, Row
from quality.feedback.voting import delete_votes
from quality.models import Vote

BATCH_ROWS = 1000
EXPORTED = ("user_id", "app_id", "image_hash", "category", "voter", "voted_at", "answer")


def forget(task: ErasureTask) -> Iterator[ForgottenRows]:
    """Delete them; the daily sums stay."""
    votes = task.person.rows(Vote)
    while keys := list(votes.values_list("pk", flat=True)[:BATCH_ROWS]):
        yield Vote._meta.db_table, delete_votes(Vote.objects.filter(pk__in=keys))


def read(person: Person) -> Iterator[Row]:
    yield from person.rows(Vote).order_by("pk").values(*EXPORTED).iterator()


def count(person: Person) -> int:
    return person.rows(Vote).count()
