"""A migration operation that takes over an older installation's tables."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

from classification.legacy import tables
from classification.models import CacheEntry, RequestLog

OLDER = {model._meta.db_table: model for model in (CacheEntry, RequestLog)}


class TableDoesNotFit(Exception):
    """An older table is incompatible; `manage.py adopt --check` says why."""


class CreateOrTakeOver(migrations.CreateModel):
    """CreateModel that adapts an older table if it exists, and keeps all its rows."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        table: str = to_state.apps.get_model(app_label, self.name)._meta.db_table
        connection: Any = schema_editor.connection
        if table not in connection.introspection.table_names():
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif connection.vendor == "mysql":
            _make_fit(table, schema_editor)


def _make_fit(table: str, schema_editor: BaseDatabaseSchemaEditor) -> None:
    plan = tables.plan(schema_editor.connection, OLDER[table])
    if plan and plan.misfits:
        raise TableDoesNotFit(f"{table}: {'; '.join(plan.misfits)}")
    if plan and plan.changes:
        schema_editor.execute(plan.statement, params=None)
