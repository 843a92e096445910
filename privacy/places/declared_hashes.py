"""The hashes a person declared."""

from collections.abc import Iterator

from classification.models import DeclaredHash
from privacy.people import Person
from privacy.places.task import ErasureTask, ForgottenRows, Row
from privacy.places.windows import read_by_windows

BATCH_ROWS = 1000
EXPORTED = ("app_id", "declared_hash", "image_hash", "has_token", "asked_at")


def forget(task: ErasureTask) -> Iterator[ForgottenRows]:
    """Delete them; those of others stay."""
    for found in read_by_windows(task.person, DeclaredHash):
        for start in range(0, len(found), BATCH_ROWS):
            keys = [row["pk"] for row in found[start : start + BATCH_ROWS]]
            rows, _ = DeclaredHash.objects.filter(pk__in=keys).delete()
            yield DeclaredHash._meta.db_table, rows


def read(person: Person) -> Iterator[Row]:
    for found in read_by_windows(person, DeclaredHash, columns=EXPORTED):
        yield from found


def count(person: Person) -> int:
    return sum(len(found) for found in read_by_windows(person, DeclaredHash))
