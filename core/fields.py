"""Model fields that behave the same on every database."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class ExactCharField(models.CharField):  # type: ignore[type-arg]
    """A case-sensitive CharField, whatever the database's collation."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        collation = "utf8mb4_bin" if connection.vendor == "mysql" else None
        return super().db_parameters(connection) | {"collation": collation}
