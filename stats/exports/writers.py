"""Streams the rows of a report to a CSV, JSON or Excel file."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO

import xlsxwriter
from django.utils.functional import Promise

from core.csv_files import csv_lines, plain

Rows = Iterable[Mapping[str, Any]]
Columns = Mapping[str, Promise]

# A sheet has at most 1,048,576 rows, including the heading.
SHEET_ROWS = 1_048_575


def write_csv(file: BinaryIO, columns: Columns, rows: Rows) -> None:
    """Write a CSV file with a heading."""
    file.writelines(csv_lines(columns.values(), ([row[key] for key in columns] for row in rows)))


def write_json(file: BinaryIO, columns: Columns, rows: Rows) -> None:
    """Write a JSON array, one object per line."""
    separator = b"[\n"
    for row in rows:
        record = {key: plain(row[key]) for key in columns}
        file.write(separator + json.dumps(record, ensure_ascii=False).encode())
        separator = b",\n"
    file.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def write_xlsx(file: BinaryIO, columns: Columns, rows: Rows) -> None:
    """Write a workbook in constant memory, on as many sheets as needed."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as workbook:
        bold = workbook.add_format({"bold": True})
        for number, row in enumerate(rows):
            if number % SHEET_ROWS == 0:
                sheet = _sheet(workbook, columns, bold)
            cells = [plain(row[key]) for key in columns]
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
