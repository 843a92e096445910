"""The bill page: a month's cost and projection, who caused it, and the comparison with the
provider's bill."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from classification.errors import ServiceError
from core.staff import StaffRequest, staff_with
from stats import aggregations
from stats.bill.figures import added_up
from stats.bill.provider_file import ProviderBill, UnreadableBill, read_bill
from stats.by_app.names import app_names
from stats.exports.reports import VIEW_CALLS
from stats.figures import Figures, current_figures
from stats.merging import Row

SPENDERS = 10
# The most lines on the page; the export has them all.
LINES = 300


@staff_with(VIEW_CALLS)
@require_GET
def bill(request: StaffRequest) -> HttpResponse:
    """The bill of a month, by default of this one."""
    return _page(request, {})


@staff_with(VIEW_CALLS)
@require_POST
def check(request: StaffRequest) -> HttpResponse:
    """The page with the provider's bill compared to ours; the file is not stored."""
    file = request.FILES.get("file")
    try:
        if file is None:
            raise UnreadableBill(_("Choose the CSV file of the bill first."))
        theirs = read_bill(file.read())
    except UnreadableBill as error:
        return _page(request, {"refusal": str(error)}, status=400)
    return _page(request, {"theirs": theirs})


def _page(request: StaffRequest, extra: dict[str, Any], status: int = 200) -> HttpResponse:
    today = timezone.localdate()
    first = _first_day(request.GET.get("month", ""), today)
    last = min(_next_month(first) - timedelta(days=1), today)
    try:
        with current_figures() as figures:
            context = _month(figures, first, last, today)
            if "theirs" in extra:
                context["comparison"] = _compare(figures, extra["theirs"], first, last)
    except ServiceError as error:
        return render(request, "dashboard/behind.html", {"error": error}, status=error.status)
    return render(request, "bill/page.html", context | extra, status=status)


def _month(figures: Figures, first: date, last: date, today: date) -> dict[str, Any]:
    rows, names = figures.bill(first, last), app_names()
    for row in rows:
        row["app"] = names.get(row["app_id"], row["app_id"])
    is_current = last == today
    return {
        "month": first,
        "last": last,
        "day_after": last + timedelta(days=1),
        "previous": (first - timedelta(days=1)).replace(day=1),
        "next": None if is_current else _next_month(first),
        "total": added_up(rows),
        "saved": sum(day["cost_saved"] for day in figures.by_day(first, last)),
        "month_end": figures.month_end(today) if is_current else None,
        "days": [
            row | {"next_day": row["day"] + timedelta(days=1)} for row in _by(rows, "day")[::-1]
        ],
        "models": _most_costly(_by(rows, "model")),
        "apps": _most_costly(_by(rows, "app")),
        "rows": rows[: -LINES - 1 : -1],
        "more_rows": max(len(rows) - LINES, 0),
        "users": figures.spenders(aggregations.DAY_USERS, last, SPENDERS),
        "addresses": figures.spenders(aggregations.ADDRESSES, last, SPENDERS),
        "spending_apps": _spending_apps(figures, rows, last),
    }


def _spending_apps(figures: Figures, rows: list[Row], day: date) -> list[Row]:
    """Each app's new photos and cost of a day, highest cost first."""
    photos = {row["app_id"]: row["new_photos"] for row in figures.apps(day, day)}
    of_day = [row for row in rows if row["day"] == day]
    names = {row["app_id"]: row["app"] for row in of_day}
    found = [
        {"name": names[row["app_id"]], "cost": row["billed_cost"]}
        | {"new_photos": photos.get(row["app_id"], 0)}
        for row in _most_costly(_by(of_day, "app_id"))
    ]
    return found[:SPENDERS]


def _by(rows: Iterable[Row], name: str) -> list[Row]:
    """The rows summed by one of their columns, and sorted by it."""
    parts: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        parts[row[name]].append(row)
    return [{name: key} | added_up(part) for key, part in sorted(parts.items(), key=_text_of_key)]


def _text_of_key(item: tuple[Any, Any]) -> str:
    return str(item[0])


def _most_costly(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -row["billed_cost"])


def _compare(figures: Figures, theirs: ProviderBill, first: date, last: date) -> list[Row]:
    """The provider's cost and ours, day by day; one line for a bill without days."""
    days = [day for day in theirs.by_day if day <= timezone.localdate()]
    if days:
        first, last = min(days), max(days)
    ours = {row["day"]: row for row in _by(figures.bill(first, last), "day")}
    if not theirs.by_day:
        return [_line(None, theirs.total, added_up(ours.values()))]
    nothing = added_up([])
    return [
        _line(day, theirs.by_day.get(day, 0), ours.get(day, nothing))
        for day in sorted({*theirs.by_day, *ours})
    ]


def _line(day: date | None, theirs: Any, ours: Mapping[str, Any]) -> Row:
    return {
        "day": day,
        "theirs": theirs,
        "ours": ours["billed_cost"],
        "perhaps": ours["perhaps_billed_cost"],
        "difference": theirs - ours["billed_cost"],
    }


def _first_day(text: str, today: date) -> date:
    """The first day of a month such as 2026-11; of the current one for an invalid text, or for the
    first month of all, which none precedes."""
    current = today.replace(day=1)
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return current
    return current if first == date.min else min(first, current)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
