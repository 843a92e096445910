"""Writes the rows of a report as CSV, JSON or an Excel workbook, one after the other."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

import xlsxwriter
from django.utils import timezone
from django.utils.functional import Promise

Rows = Iterable[Mapping[str, Any]]
Columns = Mapping[str, Promise]

# A spreadsheet takes a cell that begins like this for a formula, and users name themselves.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
PLACES = 6
# A sheet has 1,048,576 rows, one of which is the heading.
SHEET_ROWS = 1_048_575


def write_csv(file: BinaryIO, columns: Columns, rows: Rows) -> None:
    """CSV in UTF-8, with the mark by which Excel knows it."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(map(str, columns.values()))
    writer.writerows([_cell(row[key]) for key in columns] for row in rows)
    text.detach()


def write_json(file: BinaryIO, columns: Columns, rows: Rows) -> None:
    """A JSON array of objects, one in a line."""
    separator = b"[\n"
    for row in rows:
        record = {key: _plain(row[key]) for key in columns}
        file.write(separator + json.dumps(record, ensure_ascii=False).encode())
        separator = b",\n"
    file.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def write_xlsx(file: BinaryIO, columns: Columns, rows: Rows) -> None:
    """A workbook whose rows leave memory as they are written, on as many sheets as they need."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as workbook:
        bold = workbook.add_format({"bold": True})
        for number, row in enumerate(rows):
            if number % SHEET_ROWS == 0:
                sheet = _sheet(workbook, columns, bold)
            cells = [_plain(row[key]) for key in columns]
            sheet.write_row(1 + number % SHEET_ROWS, 0, cells)
        if not workbook.worksheets():
            _sheet(workbook, columns, bold)


def _sheet(workbook: Any, columns: Columns, heading: Any) -> Any:
    sheet = workbook.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, 18)
    sheet.write_row(0, 0, map(str, columns.values()), heading)
    return sheet


WRITERS: dict[str, Callable[[BinaryIO, Columns, Rows], None]] = {
    "csv": write_csv,
    "json": write_json,
    "xlsx": write_xlsx,
}


def _plain(value: Any) -> Any:
    """Numbers as numbers, times and days in ISO 8601."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        return round(float(value), PLACES)
    return value


def _cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    plain = _plain(value)
    is_formula = isinstance(plain, str) and plain.startswith(FORMULA_STARTS)
    return f"'{plain}" if is_formula else plain
