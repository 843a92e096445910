"""Inserts rows in raw SQL with one statement: many, at a tenth of the driver's cost per value, or
one on a condition."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection


def insert_rows(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of strings, numbers, booleans, datetimes and None, bypassing the ORM and its
    defaults.

    MySQLdb interpolates values into the statement, but looks up a converter for each of them. Other
    drivers send them separately.
    """
    into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute(into + _values(rows, _Literals(connection.connection.string_literal)))
        else:
            marks = f"({', '.join(['%s'] * len(columns))})"
            cursor.executemany(into + marks, [[_adapted(value) for value in row] for row in rows])


def insert_unless(
    table: str, columns: Sequence[str], row: Sequence[Any], found: str, parameters: Sequence[Any]
) -> bool:
    """Insert a row as insert_rows() does, unless the query `found` finds something, in one
    statement; return whether it was inserted."""
    marks = ", ".join(["%s"] * len(columns))
    into = (
        f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608
        f"SELECT {marks} FROM (SELECT 1) AS one WHERE NOT EXISTS ({found})"
    )
    with connection.cursor() as cursor:
        cursor.execute(into, [*map(_adapted, row), *parameters])
        return bool(cursor.rowcount)


def _values(rows: Sequence[Sequence[Any]], write: "_Literals") -> str:
    """The rows as SQL. Each column's distinct values are written once: in most columns there are
    only a few."""
    columns = []
    for values in zip(*rows, strict=True):
        literals = {value: write[type(value)](value) for value in set(values)}
        columns.append([literals[value] for value in values])
    return ",".join([f"({','.join(row)})" for row in zip(*columns, strict=True)])


class _Literals(dict[type, Callable[[Any], str]]):
    """Maps types to functions that write a value as an SQL literal; `quote` is the connection's
    own."""

    def __init__(self, quote: Callable[[str], bytes]) -> None:
        def text(value: str) -> str:
            return quote(value).decode()

        super().__init__(
            {
                type(None): lambda _: "NULL",
                bool: lambda value: "1" if value else "0",
                int: str,
                Decimal: str,
                datetime: lambda value: f"'{_adapted(value)}'",
            }
        )
        self._text = text

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        if not issubclass(kind, str):
            raise TypeError(f"A {kind.__name__} cannot be written.")
        self[kind] = self._text
        return self._text


def _adapted(value: Any) -> Any:
    """A value as it is stored: datetimes in local time of the database's time zone."""
    if not isinstance(value, datetime):
        return value
    return value.astimezone(connection.timezone).replace(tzinfo=None).isoformat(" ")
