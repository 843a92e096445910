"""Writes CSV files that spreadsheets open correctly and safely, whatever the cells contain."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

PLACES = 6
# The byte order mark by which Excel recognises UTF-8.
MARK = "\ufeff"
# Spreadsheets treat cells that begin like this as formulas, and user ids come from clients.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
LINES_AT_ONCE = 500


def plain(value: Any) -> Any:
    """Convert a value for export: numbers stay numbers, times and dates become ISO 8601."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        return round(float(value), PLACES)
    return value


def cell(value: Any) -> Any:
    """Convert a value so that no spreadsheet treats it as a formula."""
    value = plain(value)
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_lines(heading: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """The file in UTF-8, many lines at a time, each produced when it is needed."""
    text = io.StringIO(newline="")
    text.write(MARK)
    writer = csv.writer(text)
    writer.writerow(map(str, heading))
    for number, row in enumerate(rows):
        writer.writerow(map(cell, row))
        if number % LINES_AT_ONCE == LINES_AT_ONCE - 1:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
