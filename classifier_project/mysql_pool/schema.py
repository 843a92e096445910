"""Django's schema editor, able to go on where a migration was interrupted.

MariaDB commits each change of a schema by itself, so a migration that was killed half way has
done some of its steps. When it runs again, a step that finds its work done is passed over.
"""

import logging
from typing import Any

from django.db import DatabaseError, models
from django.db.backends.mysql import schema

logger = logging.getLogger(__name__)

# MariaDB's numbers for what a step meets that was done before: the table, column, index or
# foreign key is there already; or what it drops, renames or changes is gone already.
DONE_BEFORE = {1050, 1060, 1061, 1826, 1091, 1176, 1054}
# "Can't create table" stands for many things; with errno 121, the foreign key is there already.
CANNOT_CREATE = 1005


class ForeignTable(DatabaseError):
    """A table that we are about to create is there and holds something else."""


class SchemaEditor(schema.DatabaseSchemaEditor):
    """Passes over what was done before; raises ForeignTable rather than take one for ours."""

    def create_model(self, model: type[models.Model]) -> None:
        with self.connection.cursor() as cursor:
            if model._meta.db_table in self.connection.introspection.table_names(cursor):
                self._check_is_ours(model, cursor)
        super().create_model(model)

    def execute(self, sql: Any, params: Any = ()) -> None:
        try:
            super().execute(sql, params)
        except DatabaseError as error:
            if not _was_done_before(error):
                raise
            logger.debug("Done before, passed over: %s (%s)", sql, error.args[1])

    def _check_is_ours(self, model: type[models.Model], cursor: Any) -> None:
        table = model._meta.db_table
        description = self.connection.introspection.get_table_description(cursor, table)
        found = {column.name for column in description}
        missing = {field.column for field in model._meta.local_concrete_fields} - found
        if missing:
            raise ForeignTable(
                f"There is a table {table} already, which is not this service's: it has no "
                f"{', '.join(sorted(map(str, missing)))}. "
                "Rename it, or give this service another database."
            )


def _was_done_before(error: DatabaseError) -> bool:
    code, message, *_ = (*error.args, "", "")
    return code in DONE_BEFORE or (code == CANNOT_CREATE and "errno: 121" in str(message))
