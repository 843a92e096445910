"""Merging rows with the same keys: in Python, and in the SQL of each database."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = "QuerySet[Any, Row]"


class Exact(Func):
    """A text expression with binary collation, like the columns of stats.models."""

    template = "%(expressions)s"
    arity = 1

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        return self.as_sql(
            compiler, connection, template="%(expressions)s COLLATE utf8mb4_bin", **context
        )


@dataclass(frozen=True, slots=True, eq=False)
class Merge:
    """How two values of a column are merged: in Python, and in the SQL of each database."""

    python: Callable[[Any, Any], Any]
    sql: Mapping[str, str]


# `sign` is "-" when rows are subtracted.
SUM = Merge(operator.add, dict.fromkeys(("mysql", "sqlite"), "{old} {sign} {new}"))
EARLIEST = Merge(min, {"mysql": "LEAST({old}, {new})", "sqlite": "MIN({old}, {new})"})
LATEST = Merge(max, {"mysql": "GREATEST({old}, {new})", "sqlite": "MAX({old}, {new})"})


@dataclass(frozen=True, slots=True, eq=False)
class Aggregation:
    """An aggregation of rows of `source` into rows of `table`: `select` returns dicts of `keys` and
    `columns`.

    `finer` has the same columns by more keys. A reader of both reads the pending rows once, for it.
    """

    source: type[Model]
    table: type[Model]
    keys: Sequence[str]
    columns: Mapping[str, Merge]
    select: Callable[[QuerySet[Any]], Rows]
    finer: "Aggregation | None" = None

    def merge(self, rows: Iterable[Mapping[str, Any]], keys: Sequence[str] = ()) -> list[Row]:
        """Merge rows with the same `keys`, by default those of the table; other columns than the
        aggregation's are dropped."""
        keys = keys or self.keys
        merged: dict[tuple[Any, ...], Row] = {}
        for row in rows:
            key = tuple(row[name] for name in keys)
            if key not in merged:
                merged[key] = {name: row[name] for name in (*keys, *self.columns)}
                continue
            into = merged[key]
            for name, column in self.columns.items():
                into[name] = column.python(into[name], row[name])
        return list(merged.values())
