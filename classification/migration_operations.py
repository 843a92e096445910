"""Operations that let an older installation's tables be taken over."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class CreateModelUnlessPresent(migrations.CreateModel):
    """CreateModel that leaves a table alone which is there already, with all its rows."""

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
