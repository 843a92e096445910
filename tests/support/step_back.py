"""Migrate back to the state of an earlier release, with a row in each table created since.

`python -m tests.support.step_back`, with a JSON list of [app, migration], in the order in which
that release applied them, on standard input.
"""

import json
import sys
from datetime import date, datetime, timezone
from typing import Any

import django

VALUES: dict[str, Any] = {
    "BigIntegerField": 1,
    "BinaryField": b"x",
    "BooleanField": True,
    "CharField": "x",
    "DateField": date(2026, 11, 1),
    "DateTimeField": datetime(2026, 11, 1, tzinfo=timezone.utc),
    "DecimalField": 1,
    "FloatField": 1.0,
    "IntegerField": 1,
    "JSONField": {},
    "PositiveBigIntegerField": 1,
    "PositiveIntegerField": 1,
    "PositiveSmallIntegerField": 1,
    "TextField": "x",
}


def main(applied: list[tuple[str, str]]) -> None:
    django.setup()
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from classification.models import CacheEntry, RequestLog

    executor = MigrationExecutor(connection)
    before = executor.loader.project_state([(app, name) for app, name in applied]).apps
    tables = {model._meta.db_table for model in before.get_models()}
    for model in apps.get_models():
        if model._meta.managed and not model._meta.proxy and model._meta.db_table not in tables:
            _fill(model)
    app = apps.get_model("clients", "App").objects.create(name="camera")
    CacheEntry.objects.update(correcting_app=app)
    RequestLog.objects.update(app=app)
    last = dict(applied)
    labels = {label for label, _ in executor.loader.graph.leaf_nodes()}
    executor.migrate([(label, last.get(label)) for label in sorted(labels)])


def _fill(model: Any) -> Any:
    """Give the only row of a table, made if there is none."""
    row = model._default_manager.first()
    if row:
        return row
    values = {}
    for field in model._meta.concrete_fields:
        if field.null or field.has_default() or field.get_internal_type().endswith("AutoField"):
            continue
        is_reference = field.is_relation
        values[field.name] = (
            _fill(field.related_model) if is_reference else VALUES[field.get_internal_type()]
        )
    return model._default_manager.create(**values)


if __name__ == "__main__":
    main(json.load(sys.stdin))
