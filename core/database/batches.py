"""Deletes many rows while others use the same table."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from core.database.transactions import write_atomically

BATCH_ROWS = 1000


def delete_in_batches(rows: "QuerySet[Any, Any]") -> Iterator[int]:
    """Delete the rows in short transactions; yields the number deleted by each. Rows that no longer
    match by then are kept."""
    rows, after = rows.order_by("pk"), 0
    while True:
        keys = list(rows.filter(pk__gt=after).values_list("pk", flat=True)[:BATCH_ROWS])
        if not keys:
            return
        yield write_atomically(_delete, rows, keys)
        after = keys[-1]


def _delete(rows: "QuerySet[Any, Any]", keys: list[Any]) -> int:
    # Django deletes rows it has read before; locking keeps them from changing in between.
    batch = rows.filter(pk__in=keys).select_for_update()
    matching = list(batch.values_list("pk", flat=True))
    deleted: int = rows.model._default_manager.filter(pk__in=matching).delete()[0]
    return deleted
