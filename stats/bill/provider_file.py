"""Parses the provider's bill, a CSV file exported from its console, in memory; it is not stored.

In Alibaba Cloud, users choose the columns of an export, and their names depend on the console's
language or follow the billing API. So each column is found by any of its documented names.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

# The first name found in a file wins. Names are compared in lower case, without bracketed parts and
# spaces.
AMOUNTS = (
    "应付金额",
    "优惠后金额",
    "pretaxamount",
    "payableamount",
    "amountdue",
    "amountafterdiscount",
)
DAYS = (
    "账单日期",
    "消费日期",
    "消费时间",
    "服务开始时间",
    "billingdate",
    "usagestarttime",
    "servicestarttime",
)
MONTHS = ("账期", "账单月份", "billingcycle", "billingmonth")
PRODUCTS = (
    "产品code",
    "产品代码",
    "产品名称",
    "产品",
    "商品名称",
    "商品code",
    "产品明细",
    "productcode",
    "productname",
    "product",
    "commodityname",
    "commoditycode",
    "productdetail",
)
CURRENCIES = ("币种", "定价币种", "currency")
# A bill also contains other products.
MODEL_STUDIO = re.compile(r"百炼|灵积|大模型|model\s*studio|dashscope|bailian|^sfm", re.IGNORECASE)
DAY = re.compile(r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)")
COMPACT_DAY = re.compile(r"\s*(\d{4})(\d{2})(\d{2})")
YUAN = {"cny", "rmb", "人民币", ""}
ENCODINGS = ("utf-8-sig", "gb18030")
MAX_ROWS = 200_000
MAX_YUAN = Decimal(10) ** 12


class UnreadableBill(Exception):
    """The file cannot be read as a bill; the message is for the user."""


@dataclass(slots=True)
class ProviderBill:
    """A parsed bill: yuan by day, and of rows without a day; the column of the amounts, and the
    number of rows for other products."""

    amount_column: str
    by_day: dict[date, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    without_day: Decimal = Decimal(0)
    rows: int = 0
    other_rows: int = 0

    @property
    def total(self) -> Decimal:
        return sum(self.by_day.values(), self.without_day)


def read_bill(data: bytes) -> ProviderBill:
    """The bill in an exported CSV file; raises UnreadableBill."""
    heading, rows = _table(_text(data))
    amount, day = _needed_columns(heading)
    products = [heading[name] for name in PRODUCTS if name in heading]
    currency = _column(heading, CURRENCIES)
    bill = ProviderBill(amount)
    for line, row in rows:
        if products and not any(MODEL_STUDIO.search(row[number]) for number in products):
            bill.other_rows += 1
            continue
        if currency and row[heading[currency]].strip().lower() not in YUAN:
            raise UnreadableBill(
                _("Line %(line)s is in %(currency)s, not in yuan.")
                % {"line": line, "currency": row[heading[currency]].strip()[:8]}
            )
        bill.rows += 1
        yuan = _yuan(row[heading[amount]], line)
        if day is None:
            bill.without_day += yuan
        else:
            bill.by_day[_day(row[heading[day]], line)] += yuan
    if not bill.rows:
        raise UnreadableBill(_("The file has no line for Model Studio (百炼)."))
    return bill


def _needed_columns(heading: Mapping[str, int]) -> tuple[str, str | None]:
    """The columns of the amount and of the day; a bill by the month has no day."""
    amount, day = _column(heading, AMOUNTS), _column(heading, DAYS)
    if amount is None:
        raise UnreadableBill(
            _("The file has no column with the amount due: %(names)s.")
            % {"names": _("“应付金额” or “优惠后金额”, in an export of “明细账单”")}
        )
    if day is None and _column(heading, MONTHS) is None:
        raise UnreadableBill(_("The file has no column with the day or the month of the bill."))
    return amount, day


def _text(data: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableBill(_("The file is not a CSV file. Save an Excel workbook as CSV first."))


def _table(text: str) -> tuple[dict[str, int], Iterator[tuple[int, Sequence[str]]]]:
    """The heading, as the position of each name, and the lines below it with their numbers."""
    if "\0" in text:
        raise UnreadableBill(_("The file is not a CSV file. Save an Excel workbook as CSV first."))
    delimiter = "\t" if text.partition("\n")[0].count("\t") else ","
    lines = _lines(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    heading = {_name(name): number for number, name in enumerate(next(lines, []))}
    if len(heading) < 2:
        raise UnreadableBill(_("The first line of the file does not name its columns."))
    return heading, _rows(lines, len(heading))


def _lines(reader: Iterable[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error:
        raise UnreadableBill(
            _("The file is not a CSV file. Save an Excel workbook as CSV first.")
        ) from None


def _rows(lines: Iterator[list[str]], columns: int) -> Iterator[tuple[int, Sequence[str]]]:
    for number, row in enumerate(lines, start=2):
        if number > MAX_ROWS:
            raise UnreadableBill(_("The file is too long. Export the bill by day, or by month."))
        if any(map(str.strip, row)):
            yield number, row + [""] * (columns - len(row))


def _name(text: str) -> str:
    return re.sub(r"[(（\[].*?[)）\]]|\s|_", "", text).strip("\ufeff\"'").lower()


def _column(heading: Mapping[str, int], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in heading), None)


def _yuan(text: str, line: int) -> Decimal:
    try:
        amount = Decimal(text.strip().lstrip("¥￥").replace(",", "") or "0")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > MAX_YUAN:
        raise UnreadableBill(
            _("Line %(line)s has “%(text)s” where the amount should be.")
            % {"line": line, "text": text.strip()[:20]}
        )
    return amount


def _day(text: str, line: int) -> date:
    """2026-11-28, 2026/11/28 or 20261128, with or without a time after it."""
    found = DAY.match(text) or COMPACT_DAY.match(text)
    try:
        year, month, day = map(int, found.groups()) if found else (0, 0, 0)
        return date(year, month, day)
    except ValueError:
        raise UnreadableBill(
            _("Line %(line)s has “%(text)s” where the day should be.")
            % {"line": line, "text": text.strip()[:20]}
        ) from None
