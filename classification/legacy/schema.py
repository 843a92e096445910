"""The schema of an older installation's tables, and the requirements on it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import Model

from classification.models import CacheEntry, RequestLog

WHOLE = {"tinyint", "smallint", "mediumint", "int", "bigint", "bit"}
TEXT = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum"}
FRACTION = {"decimal", "float", "double"}
TIME = {"datetime", "timestamp"}
LONG_TEXT = {"mediumtext", "longtext"}
# MySQL has a type for it; to MariaDB it is text.
JSON = {"json"}


class Column(NamedTuple):
    """A column as information_schema has it; `length` in characters, `default` as SQL."""

    name: str
    type: str
    data_type: str
    length: int | None
    is_nullable: bool
    default: str | None
    extra: str
    collation: str | None
    expression: str | None


class Index(NamedTuple):
    name: str
    is_unique: bool
    columns: tuple[str, ...]


class Wanted(NamedTuple):
    """The requirement on a column: it keeps one of the types in `fits` (by name, or complete);
    otherwise it is converted to `type`, if it is one of `convertible`. `takes_null`: it must accept
    NULL."""

    name: str
    type: str
    convertible: set[str]
    fits: set[str]
    length: int = 0
    takes_null: bool = False


def _text(name: str, length: int, *, takes_null: bool = False) -> Wanted:
    fits = {"char", "varchar"}
    return Wanted(name, f"varchar({length})", TEXT, fits, length, takes_null)


def _whole(name: str, *, takes_null: bool = False) -> Wanted:
    return Wanted(name, "int", WHOLE, {"int", "bigint"}, takes_null=takes_null)


def _time(name: str) -> Wanted:
    return Wanted(name, "datetime(6)", TIME, {"datetime(6)"})


ID = Wanted("id", "bigint", WHOLE, {"bigint"})
CONFIDENCE = Wanted("confidence", "decimal(5,4)", FRACTION, {"decimal(5,4)"})
COLUMNS: dict[type[Model], Sequence[Wanted]] = {
    CacheEntry: (
        ID,
        _text("image_hash", 64),
        _text("category", 50),
        CONFIDENCE,
        Wanted("description", "text", TEXT, {"varchar", "text", *LONG_TEXT}, 200, takes_null=True),
        _text("model_used", 50),
        Wanted("model_response", "longtext", TEXT | JSON, LONG_TEXT | JSON, takes_null=True),
        _whole("hit_count"),
        _time("created_at"),
        _time("last_hit_at"),
    ),
    RequestLog: (
        ID,
        _text("request_id", 64),
        _text("user_id", 64, takes_null=True),
        _text("ip_address", 45, takes_null=True),
        _text("image_hash", 64),
        _whole("image_size", takes_null=True),
        _text("category", 50),
        CONFIDENCE,
        Wanted("from_cache", "tinyint(1)", WHOLE, {"tinyint"}),
        _whole("processing_time_ms", takes_null=True),
        _time("created_at"),
    ),
}


# MariaDB reports defaults as SQL; MySQL reports literals without quotes.
DEFAULT = (
    "IF(column_default IS NULL OR @@version LIKE '%%MariaDB%%' "
    "OR extra LIKE '%%DEFAULT_GENERATED%%', "
    "column_default, QUOTE(column_default))"
)


def columns(cursor: Any, table: str) -> dict[str, Column]:
    cursor.execute(
        "SELECT column_name, column_type, data_type, character_maximum_length, "  # noqa: S608
        f"is_nullable = 'YES', {DEFAULT}, extra, collation_name, generation_expression "
        "FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position",
        [table],
    )
    return {row[0]: Column(*row) for row in cursor.fetchall()}


def indexes(cursor: Any, table: str) -> list[Index]:
    cursor.execute(
        "SELECT index_name, MIN(non_unique) = 0, "
        "GROUP_CONCAT(CONCAT(column_name, IF(sub_part IS NULL, '', '(part)')) "
        "ORDER BY seq_in_index) FROM information_schema.statistics "
        "WHERE table_schema = DATABASE() AND table_name = %s "
        "GROUP BY index_name ORDER BY index_name",
        [table],
    )
    return [Index(name, bool(u), tuple(cols.split(","))) for name, u, cols in cursor.fetchall()]
