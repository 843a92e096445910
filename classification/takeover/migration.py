"""Operations that let an older installation's tables be taken over."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

from classification.models import CacheEntry, RequestLog
from classification.takeover import tables

OLDER = {model._meta.db_table: model for model in (CacheEntry, RequestLog)}


class TableDoesNotFit(Exception):
    """An older table cannot be taken over as it stands; `manage.py adopt --check` says why."""


class CreateOrTakeOver(migrations.CreateModel):
    """CreateModel that makes an older table fit which is there already, with all its rows."""

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
