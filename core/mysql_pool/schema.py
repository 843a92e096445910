"""Django's schema editor, able to resume interrupted migrations.

MariaDB commits each schema change separately, so a migration that was killed has done some of its
steps. When it runs again, steps that have been done are skipped.
"""

import logging
from typing import Any

from django.db import DatabaseError, models
from django.db.backends.mysql import schema

from core.mysql_pool import characters

logger = logging.getLogger(__name__)

# MariaDB's error numbers for a step that has been done: the table, column, index or foreign key
# exists already, or what it drops, renames or changes is gone.
DONE_BEFORE = {1050, 1060, 1061, 1826, 1051, 1091, 1176, 1054}
# What is to be dropped from a table went with it.
NO_TABLE = 1146
# "Can't create table" has many causes; with errno 121, the foreign key exists already.
CANNOT_CREATE = 1005


class ForeignTable(DatabaseError):
    """A table that is to be created exists already, with other columns."""


class SchemaEditor(schema.DatabaseSchemaEditor):
    """Skips steps that have been done; raises ForeignTable for a table that is not ours."""

    def create_model(self, model: type[models.Model]) -> None:
        with self.connection.cursor() as cursor:
            if model._meta.db_table in self.connection.introspection.table_names(cursor):
                self._check_is_ours(model, cursor)
        super().create_model(model)

    def table_sql(self, model: type[models.Model]) -> tuple[str, Any]:
        """CREATE TABLE with an explicit character set, since the database's default may be
        narrower."""
        sql, params = super().table_sql(model)
        with self.connection.cursor() as cursor:
            collation = characters.collation(cursor)
        return f"{sql} DEFAULT CHARACTER SET {characters.CHARSET} COLLATE {collation}", params

    def execute(self, sql: Any, params: Any = ()) -> None:
        try:
            super().execute(sql, params)
        except DatabaseError as error:
            if not _was_done_before(error, str(sql)):
                raise
            logger.debug("Done before, passed over: %s (%s)", sql, error.args[1])

    def _check_is_ours(self, model: type[models.Model], cursor: Any) -> None:
        table = model._meta.db_table
        description = self.connection.introspection.get_table_description(cursor, table)
        found = {column.name for column in description}
        missing = {field.column for field in model._meta.local_concrete_fields} - found
        if missing:
            raise ForeignTable(
                f"There is already a table {table} that is not this service's: it has no "
                f"{', '.join(sorted(map(str, missing)))}. "
                "Rename it, or give this service another database."
            )


def _was_done_before(error: DatabaseError, sql: str) -> bool:
    code, message, *_ = (*error.args, "", "")
    return (
        code in DONE_BEFORE
        or (code == NO_TABLE and " DROP " in f" {sql}")
        or (code == CANNOT_CREATE and "errno: 121" in str(message))
    )
