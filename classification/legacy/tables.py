"""Plans the changes to an older installation's two tables.

MariaDB only, as older installations are. `plan` only reads; the first migration runs the changes as
one ALTER TABLE per table, which MariaDB applies completely or not at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from classification.legacy import schema
from classification.legacy.schema import COLUMNS, CONFIDENCE, ID, Column, Index, Wanted
from classification.models import CacheEntry, RequestLog
from core.mysql_pool import characters

DAY = "date GENERATED ALWAYS AS (DATE(created_at)) STORED"


@dataclass
class Plan:
    """The planned changes to a table: clauses of an ALTER TABLE with their reasons, and `misfits`,
    which make it incompatible."""

    table: str
    rows: int
    columns: dict[str, Column]
    indexes: list[Index]
    collation: str
    changes: list[tuple[str, str]] = field(default_factory=list)
    misfits: list[str] = field(default_factory=list)

    @property
    def statement(self) -> str:
        clauses = ", ".join(clause for clause, _reason in self.changes)
        return f"ALTER TABLE `{self.table}` {clauses}"


def plan(connection: Any, model: type[Model]) -> Plan | None:
    """The changes the older table of `model` needs; None if it does not exist.

    Reads only. `connection` is Django's, to MariaDB.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        columns = schema.columns(cursor, table)
        if not columns:
            return None
        cursor.execute(f"SELECT COUNT(*) FROM `{table}`")  # noqa: S608
        rows = cursor.fetchone()[0]
        indexes, collation = schema.indexes(cursor, table), characters.collation(cursor)
        found = Plan(table, rows, columns, indexes, collation)
        _plan_table(cursor, found)
        for wanted in COLUMNS[model]:
            _plan_column(cursor, found, wanted)
        if model is RequestLog:
            _plan_day(cursor, found)
        _plan_others(found, model)
        _plan_indexes(cursor, found, model, index_names(connection, model))
    return found


def index_names(connection: Any, model: type[Model]) -> dict[tuple[str, ...], str]:
    """The names of our non-unique indexes, by their columns."""
    editor = connection.schema_editor()
    meta: Any = model._meta
    older = {wanted.name for wanted in COLUMNS[model]}
    names = {tuple(index.fields): index.name for index in meta.indexes}
    for column in (f.column for f in meta.local_concrete_fields if f.db_index and not f.unique):
        if column in older:
            names[(column,)] = editor._create_index_name(meta.db_table, [column])
    return names


def _plan_table(cursor: Any, found: Plan) -> None:
    cursor.execute(
        "SELECT table_type, engine, table_collation FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND table_name = %s",
        [found.table],
    )
    kind, engine, table_collation = cursor.fetchone()
    if kind != "BASE TABLE":
        found.misfits.append(f"is a {kind.lower()}, not a table")
    elif engine.lower() != "innodb":
        found.changes.append(("ENGINE=InnoDB", f"{engine} does not support transactions"))
    charset = (table_collation or "").partition("_")[0]
    if charset and charset != characters.CHARSET:  # of the columns that are added
        clause = f"DEFAULT{_characters(found.collation)}"
        found.changes.append((clause, f"its new columns would be in {charset}"))
    cursor.execute(
        "SELECT DISTINCT constraint_name FROM information_schema.key_column_usage "
        "WHERE table_schema = DATABASE() AND table_name = %s "
        "AND referenced_table_name IS NOT NULL AND column_name <> 'corrected_by_id'",
        [found.table],
    )
    for (name,) in cursor.fetchall():
        found.changes.append((f"DROP FOREIGN KEY `{name}`", "rows outlive what they point to"))


def _plan_column(cursor: Any, found: Plan, wanted: Wanted) -> None:
    column = found.columns.get(wanted.name)
    if column is None:
        found.misfits.append(f"has no column {wanted.name}")
    elif column.data_type not in wanted.convertible:
        found.misfits.append(f"{wanted.name} is {column.type}, which cannot become {wanted.type}")
    elif reason := _why_not(column, wanted):
        if bad := _too_large(cursor, found.table, column, wanted):
            found.misfits.append(f"{wanted.name}: {bad} values do not fit {wanted.type}")
        else:
            found.changes.append((_modify(column, wanted, found.collation), reason))


def _why_not(column: Column, wanted: Wanted) -> str:
    """Why a column has to be changed; "" if it does not."""
    if not {column.type, column.data_type} & wanted.fits:
        return f"it is {column.type}"
    if column.length is not None and column.length < wanted.length:
        return f"it is {column.type}, too short"
    if wanted.takes_null and not column.is_nullable:
        return "it must accept NULL"
    if "on update" in column.extra.lower():
        return "a correction must not change it"
    charset = (column.collation or "utf8mb4").partition("_")[0]
    if charset != "utf8mb4" and wanted.name != "image_hash":
        return f"its characters are {charset}"
    return ""


def _too_large(cursor: Any, table: str, column: Column, wanted: Wanted) -> int:
    """How many values do not fit into the required type."""
    if wanted is CONFIDENCE:
        condition = f"ABS(`{column.name}`) >= 10"
    elif wanted.type.startswith("varchar") and (column.length or 0) > wanted.length:
        condition = f"CHAR_LENGTH(`{column.name}`) > {wanted.length}"
    else:
        return 0
    cursor.execute(f"SELECT COUNT(*) FROM `{table}` WHERE {condition}")  # noqa: S608
    count: int = cursor.fetchone()[0]
    return count


def _modify(column: Column, wanted: Wanted, collation: str) -> str:
    """The MODIFY clause for the required type, in utf8mb4 with this collation, otherwise
    unchanged."""
    is_right_type = {column.type, column.data_type} & wanted.fits and (
        column.length is None or column.length >= wanted.length
    )
    clause = f"MODIFY `{column.name}` {column.type if is_right_type else wanted.type}"
    if column.collation:
        is_utf8mb4 = column.collation.startswith("utf8mb4_")
        clause += _characters(column.collation if is_utf8mb4 else collation)
    clause += " NULL" if column.is_nullable or wanted.takes_null else " NOT NULL"
    if column.default is not None:
        is_now = column.default.lower().startswith("current_timestamp")
        # MySQL wants the fraction of the column's type.
        clause += f" DEFAULT {'CURRENT_TIMESTAMP(6)' if is_now else column.default}"
    return clause + (" AUTO_INCREMENT" if wanted is ID else "")


def _characters(collation: str) -> str:
    return f" CHARACTER SET {collation.partition('_')[0]} COLLATE {collation}"


def _plan_day(cursor: Any, found: Plan) -> None:
    """Plan the generated column of the local day."""
    if "created_at" in found.columns:
        cursor.execute(
            f"SELECT COUNT(*) FROM `{found.table}` "  # noqa: S608
            "WHERE created_at IS NULL OR created_at < '1000-01-01'"
        )
        if count := cursor.fetchone()[0]:
            found.misfits.append(f"created_at: {count} rows have no time; they belong to no day")
    column = found.columns.get("created_date")
    if column is None:
        found.changes.append((f"ADD COLUMN created_date {DAY}", "the day of each row"))
    elif "created_at" not in (column.expression or "") or column.data_type != "date":
        if "GENERATED" in column.extra.upper():
            found.misfits.append(f"created_date is generated from {column.expression}")
        else:
            found.changes.append(
                (f"MODIFY created_date {DAY}", "it is not generated from created_at")
            )


def _plan_others(found: Plan, model: type[Model]) -> None:
    """Make foreign columns optional, so that new rows can be inserted."""
    ours = {field.column for field in model._meta.local_concrete_fields}
    for column in found.columns.values():
        is_optional = column.is_nullable or column.default is not None or column.expression
        if column.name in ours or is_optional or "auto_increment" in column.extra:
            continue
        characters = _characters(column.collation) if column.collation else ""
        clause = f"MODIFY `{column.name}` {column.type}{characters} NULL"
        found.changes.append((clause, "it is not ours, and new rows do not have it"))


def _plan_indexes(
    cursor: Any, found: Plan, model: type[Model], names: dict[tuple[str, ...], str]
) -> None:
    primary = [index for index in found.indexes if index.name == "PRIMARY"]
    if not primary or primary[0].columns != ("id",):
        found.misfits.append("its primary key is not id")
    if model is CacheEntry and not any(_is_unique_hash(index) for index in found.indexes):
        _plan_unique_hash(cursor, found)
    taken = {index.name for index in found.indexes}
    for clause in _index_changes([i for i in found.indexes if i not in primary], names, taken):
        found.changes.append(clause)


def _is_unique_hash(index: Index) -> bool:
    return index.is_unique and index.columns == ("image_hash",)


def _plan_unique_hash(cursor: Any, found: Plan) -> None:
    cursor.execute(
        f"SELECT COUNT(*) - COUNT(DISTINCT image_hash) FROM `{found.table}`"  # noqa: S608
    )
    if twice := cursor.fetchone()[0]:
        found.misfits.append(f"image_hash is not unique: {twice} rows repeat another's")
    else:
        found.changes.append(("ADD UNIQUE `image_hash` (image_hash)", "one answer per photo"))


def _index_changes(
    indexes: Sequence[Index], names: dict[tuple[str, ...], str], taken: set[str]
) -> Iterator[tuple[str, str]]:
    for index in indexes:
        ours = names.get(index.columns)
        is_ours = ours == index.name
        if index.is_unique and not _is_unique_hash(index) and "id" not in index.columns:
            columns = ", ".join(f"`{column}`" for column in index.columns)
            name = ours if ours and (is_ours or ours not in taken) else index.name
            taken.add(name)
            yield (
                f"DROP INDEX `{index.name}`, ADD INDEX `{name}` ({columns})",
                "several rows may belong to one request",
            )
        elif ours and not index.is_unique and ours not in taken:
            taken.add(ours)
            yield f"RENAME INDEX `{index.name}` TO `{ours}`", "it serves as ours"
        elif index.name in names.values() and not is_ours:
            yield f"RENAME INDEX `{index.name}` TO `older_{index.name}`", "ours has that name"
