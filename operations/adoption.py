"""What taking over an older installation's database would do, and dealing with its bad rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone

from classification import known_photos
from classification.models import CacheEntry, RequestLog
from classification.takeover import rows, tables
from classification.takeover.rows import Kind
from classification.takeover.schema import Index
from classification.takeover.tables import Plan

BATCH_ROWS = 500


@dataclass
class Report:
    """The two older tables as they stand, what is still to be added, and the rows of each kind
    that could never have been right; `clock` is the server's difference to TIME_ZONE, in
    seconds, where it matters."""

    plans: list[Plan] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    additions: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    entries: list[tuple[Kind, int]] = field(default_factory=list)
    requests: list[tuple[Kind, int]] = field(default_factory=list)
    clock: int = 0

    @property
    def misfits(self) -> list[str]:
        return [f"{plan.table} {misfit}" for plan in self.plans for misfit in plan.misfits]

    @property
    def impossible_entries(self) -> int:
        """How many findings there are about entries; one entry may have several."""
        return sum(count for _kind, count in self.entries)


def report() -> Report:
    """Look at the database without writing anything."""
    found = Report()
    for model in (CacheEntry, RequestLog):
        if plan := tables.plan(connection, model):
            found.plans.append(plan)
        else:
            found.missing.append(model._meta.db_table)
    found.additions, found.left_alone = _tables_and_columns(found.plans)
    found.clock = _clock(found.plans)
    if not found.misfits:
        now = timezone.now()
        present = {plan.table for plan in found.plans}
        if CacheEntry._meta.db_table in present:
            found.entries = _counted(rows.impossible_entries(CacheEntry, now))
        if RequestLog._meta.db_table in present:
            found.requests = _counted(rows.impossible_requests(RequestLog, now))
    return found


def lines(found: Report) -> Iterator[str]:
    """The report for a person."""
    for table in found.missing:
        yield f"{table}: there is none; it will be made."
    for plan in found.plans:
        yield f"{plan.table}: {plan.rows} rows"
        yield f"  columns: {', '.join(f'{c.name} {c.type}' for c in plan.columns.values())}"
        yield f"  indexes: {', '.join(_index(index) for index in plan.indexes)}"
        yield from (f"  will change: {clause} ({reason})" for clause, reason in plan.changes)
        yield from (f"  does not fit: {misfit}" for misfit in plan.misfits)
    if found.additions:
        yield f"Will be added: {', '.join(found.additions)}"
    if found.left_alone:
        yield f"Not ours, left alone: {', '.join(found.left_alone)}"
    if found.clock:
        yield (
            f"Times of type TIMESTAMP are read as this server shows them, {found.clock / 3600:+g} "
            "hours beside TIME_ZONE. If that is not the wall clock they were written by, set the "
            "server's default_time_zone first."
        )
    for title, kinds in (("Entries", found.entries), ("Requests", found.requests)):
        for kind, count in kinds:
            remedy = f"; --drop-impossible: {kind.remedy}" if kind.remedy else ""
            yield f"{title} that could never have been right: {count}, {kind.name}{remedy}"


def try_writing() -> None:
    """Write an entry and log rows as the service does, and take them back.

    Raises DatabaseError when something that we do not know about the tables forbids it.
    """
    with transaction.atomic():
        for number in range(2):
            RequestLog.objects.create(request_id="adopt", outcome="invalid_image")
            CacheEntry.objects.create(
                image_hash=f"adopt{number}", category="pets", confidence=1, model_used="adopt"
            )
        CacheEntry.objects.filter(image_hash="adopt0").update(hit_count=F("hit_count") + 1)
        transaction.set_rollback(True)


def drop_impossible() -> Iterator[tuple[str, str]]:
    """Remove or mend each kind of impossible entries; gives its name and what was done."""
    now = timezone.now()
    for kind in rows.impossible_entries(CacheEntry, now):
        done = _drop(kind) if kind.remedy == "dropped" else _mend(kind, now)
        if done:
            yield kind.name, f"{done} entries {kind.remedy}"


def _drop(kind: Kind) -> int:
    """Remove in small batches, so that no request waits for a long transaction. What a person
    corrected stays."""
    done = 0
    keys = kind.rows.filter(corrected_at=None).order_by("pk").values_list("pk", flat=True)
    while batch := list(keys[:BATCH_ROWS]):
        done += CacheEntry.objects.filter(pk__in=batch).delete()[0]
    return done


def _mend(kind: Kind, now: datetime) -> int:
    hashes = list(kind.rows.values_list("image_hash", flat=True))
    for start in range(0, len(hashes), BATCH_ROWS):
        CacheEntry.objects.filter(image_hash__in=hashes[start : start + BATCH_ROWS]).update(
            hit_count=Greatest(Coalesce("hit_count", 1), 1),
            created_at=Least("created_at", now),
            last_hit_at=Least("last_hit_at", now),
        )
    known_photos.forget(hashes)
    return len(hashes)


def _counted(kinds: list[Kind]) -> list[tuple[Kind, int]]:
    counted = ((kind, kind.rows.count()) for kind in kinds)
    return [(kind, count) for kind, count in counted if count]


def _tables_and_columns(plans: list[Plan]) -> tuple[list[str], list[str]]:
    """Our tables and columns that are not there yet, and tables that are not ours."""
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
    models: Any = apps.get_models(include_auto_created=True)
    ours = {model._meta.db_table for model in models}
    additions = sorted(ours - present)
    by_table = {plan.table: plan for plan in plans}
    for model in (CacheEntry, RequestLog):
        if plan := by_table.get(model._meta.db_table):
            columns = (field.column for field in model._meta.local_concrete_fields)
            additions += [f"{plan.table}.{c}" for c in columns if c not in plan.columns]
    return additions, sorted(present - ours - {"django_migrations"})


def _clock(plans: list[Plan]) -> int:
    """Seconds between the server's wall clock and ours, if times will be read by it."""
    columns = [column for plan in plans for column in plan.columns.values()]
    if not any(column.data_type == "timestamp" for column in columns):
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOW()")
        server: datetime = cursor.fetchone()[0]
    local = timezone.localtime().replace(tzinfo=None)
    return round((server - local).total_seconds() / 60) * 60


def _index(index: Index) -> str:
    kind = "unique " if index.is_unique else ""
    return f"{kind}{index.name} ({', '.join(index.columns)})"
