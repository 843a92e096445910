"""The character set of tables: utf8mb4, whatever the server's or the database's default. utf8mb3
rejects emoji, and latin1 rejects Chinese."""

from collections.abc import Collection, Mapping
from typing import Any

CHARSET = "utf8mb4"
DEFAULT_COLLATION = "utf8mb4_unicode_ci"
# Contains hexadecimal digits only, so that it may keep an older installation's character set.
NARROW = "image_hash"


def collation(cursor: Any) -> str:
    """The collation of all our tables: the database's, or its equivalent in utf8mb4.

    Columns of different collations cannot be compared.
    """
    cursor.execute("SELECT @@collation_database")
    charset, _, kind = cursor.fetchone()[0].partition("_")
    if not charset.startswith("utf8"):  # their collations are language-specific
        return DEFAULT_COLLATION
    name = f"{CHARSET}_{kind}"
    cursor.execute("SHOW COLLATION WHERE Charset = %s AND Collation = %s", [CHARSET, name])
    return name if cursor.fetchone() else DEFAULT_COLLATION


def narrow_tables(cursor: Any, columns: Mapping[str, Collection[str]]) -> list[str]:
    """The existing tables that do not accept all characters in these columns, by table. Others are
    not ours to convert."""
    cursor.execute(
        "SELECT table_name, NULL FROM information_schema.tables WHERE table_schema = DATABASE() "
        "AND table_type = 'BASE TABLE' AND table_collation NOT LIKE 'utf8mb4%%' "
        "UNION SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND character_set_name <> %s AND column_name <> %s",
        [CHARSET, NARROW],
    )
    return sorted(
        {
            table
            for table, column in cursor.fetchall()
            if table in columns and (column is None or column in columns[table])
        }
    )


def convert(cursor: Any, table: str) -> None:
    """Convert a table to utf8mb4; its data does not change."""
    cursor.execute(
        f"ALTER TABLE `{table}` CONVERT TO CHARACTER SET {CHARSET} COLLATE {collation(cursor)}"
    )
