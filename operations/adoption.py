"""Reports what taking over an older installation's database would do, and fixes its bad rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone

from classification.legacy import rows, tables
from classification.legacy.rows import ImpossibleRows
from classification.legacy.schema import Index
from classification.legacy.tables import Plan
from classification.models import CacheEntry, RequestLog
from classification.pipeline import answer_cache
from core.database.batches import delete_in_batches
from core.mysql_pool import characters
from operations import adoption_notes

BATCH_ROWS = 500


@dataclass
class AdoptionReport:
    """The two older tables, the changes they need, and the number of impossible rows of each kind;
    `clock` is the server's offset from TIME_ZONE in seconds, if it matters."""

    plans: list[Plan] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    additions: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    entries: list[tuple[ImpossibleRows, int]] = field(default_factory=list)
    requests: list[tuple[ImpossibleRows, int]] = field(default_factory=list)
    older_entries: int = 0
    clock: int = 0

    @property
    def misfits(self) -> list[str]:
        return [f"{plan.table} {misfit}" for plan in self.plans for misfit in plan.misfits]

    @property
    def impossible_entries(self) -> int:
        """The number of findings about entries; one entry may have several."""
        return sum(count for _kind, count in self.entries)


def report() -> AdoptionReport:
    """Examine the database without writing anything."""
    found = AdoptionReport()
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
            found.older_entries = _older_entries(found.plans)
        if RequestLog._meta.db_table in present:
            found.requests = _counted(rows.impossible_requests(RequestLog, now))
    return found


def lines(found: AdoptionReport) -> Iterator[str]:
    """The report as text."""
    for table in found.missing:
        yield f"{table}: missing, will be created."
    for plan in found.plans:
        yield f"{plan.table}: {plan.rows} rows"
        yield f"  columns: {', '.join(f'{c.name} {c.type}' for c in plan.columns.values())}"
        yield f"  indexes: {', '.join(_index(index) for index in plan.indexes)}"
        yield from (f"  to be changed: {clause} ({reason})" for clause, reason in plan.changes)
        yield from (f"  incompatible: {misfit}" for misfit in plan.misfits)
    if found.older_entries:
        yield (
            f"{found.older_entries} entries were made by the older service, where one request "
            "could put any answer under any hash. They are keyed by the hashes that its apps "
            "gave, and answer old and new apps alike. Remove those that you do not trust with "
            "purge_cache --provider older --made-after DATE."
        )
    if found.additions:
        yield f"To be added: {', '.join(found.additions)}"
    if found.left_alone:
        yield f"Not ours, left untouched: {', '.join(found.left_alone)}"
    if found.clock:
        yield (
            f"TIMESTAMP values are read in this server's time zone, {found.clock / 3600:+g} "
            "hours from TIME_ZONE. If they were written in another one, set the server's "
            "default_time_zone first."
        )
    yield from _impossible_lines("entries", found.entries)
    yield from _impossible_lines("requests", found.requests)


def _impossible_lines(title: str, kinds: list[tuple[ImpossibleRows, int]]) -> Iterator[str]:
    for kind, count in kinds:
        remedy = f"; --drop-impossible: {kind.remedy}" if kind.remedy else ""
        yield f"Impossible {title}: {count}, {kind.name}{remedy}"


def try_writing() -> None:
    """Write an entry and log rows as the service does, and roll back.

    Raises DatabaseError if something unknown about the tables prevents it.
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
    """Delete or fix each kind of impossible entries; yields its name and what was done."""
    now = timezone.now()
    for kind in rows.impossible_entries(CacheEntry, now):
        if kind.remedy == "dropped":  # corrected entries are kept
            done = sum(delete_in_batches(kind.rows.filter(corrected_at=None)))
        else:
            done = _mend(kind, now)
        if done:
            yield kind.name, f"{done} entries {kind.remedy}"


def _mend(kind: ImpossibleRows, now: datetime) -> int:
    hashes = list(kind.rows.values_list("image_hash", flat=True))
    for start in range(0, len(hashes), BATCH_ROWS):
        CacheEntry.objects.filter(image_hash__in=hashes[start : start + BATCH_ROWS]).update(
            hit_count=Greatest(Coalesce("hit_count", 1), 1),
            created_at=Least("created_at", now),
            last_hit_at=Least("last_hit_at", now),
        )
    answer_cache.invalidate(hashes)
    return len(hashes)


def _older_entries(plans: list[Plan]) -> int:
    """How many entries are the older service's, which stored no provider."""
    [plan] = [plan for plan in plans if plan.table == CacheEntry._meta.db_table]
    return adoption_notes.older_entries() if "provider" in plan.columns else plan.rows


def _counted(kinds: list[ImpossibleRows]) -> list[tuple[ImpossibleRows, int]]:
    counted = ((kind, kind.rows.count()) for kind in kinds)
    return [(kind, count) for kind, count in counted if count]


def _tables_and_columns(plans: list[Plan]) -> tuple[list[str], list[str]]:
    """Our tables and columns that are missing, and tables that are not ours."""
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


def narrow_tables(connection: Any, cursor: Any) -> list[str]:
    """Our tables on MariaDB that are not in utf8mb4, except those of an older installation that
    have not been taken over."""
    recorder = MigrationRecorder(connection)
    models: Any = {*apps.get_models(include_auto_created=True), recorder.Migration}
    if ("classification", "0001_initial") not in recorder.applied_migrations():
        models -= {CacheEntry, RequestLog}
    columns = {
        model._meta.db_table: {field.column for field in model._meta.local_concrete_fields}
        for model in models
    }
    return characters.narrow_tables(cursor, columns)


def _clock(plans: list[Plan]) -> int:
    """Seconds between the server's local time and ours, if there are TIMESTAMP columns."""
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
