"""The aggregations of the request log and the ledger, one per summary table.

Each is one SELECT, used both to fill its table when rows are rolled up and to aggregate pending
rows, so the two cannot disagree. It also declares how its columns merge, in SQL and in Python.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, F, Max, Min, Model, Q, QuerySet, Sum
from django.db.models.functions import Cast, Greatest, Length, Substr

from classification.choices import OK, Billed, Source
from classification.models import LocalDate, ModelCall, RequestLog
from clients.models import ANONYMOUS_ID
from stats import models
from stats.merging import EARLIEST, LATEST, SUM, Aggregation, Exact, Merge, Rows

ZERO = Decimal(0)
FAILED = ~Q(outcome=OK)
# Times are stored in local time, as text: YYYY-MM-DD HH:MM:SS.
MINUTE = Substr(Cast("created_at", CharField(max_length=26)), 12, 5)
# The service this one replaces stored neither a source nor a price, and its clock could go back.
TIME_MS = Greatest(F("processing_time_ms"), 0)
OLDER = Q(source="", outcome=OK)


def _sums(*names: str) -> dict[str, Merge]:
    return dict.fromkeys(names, SUM)


REQUEST_SUMS = _sums(*(field.name for field in models.RequestSums._meta.fields))
# What an app spent is in APP_LEDGER: a failed call may have been billed, too.
APP_SUMS = {name: merge for name, merge in REQUEST_SUMS.items() if name != "cost"}
LEDGER_SUMS = _sums(
    *(field.name for field in models.LedgerSums._meta.fields if field.has_default())
)
USER_COLUMNS = _sums("requests", "hits") | {"first_request": EARLIEST, "last_request": LATEST}


def _request_sums() -> dict[str, Any]:
    return {
        "requests": Count("pk"),
        "hits": Count("pk", filter=Q(from_cache=True)),
        "failures": Count("pk", filter=FAILED),
        "timed_requests": Count("processing_time_ms"),
        "total_time_ms": Sum(TIME_MS, default=0),
        # The cost of newer answers comes from the ledger.
        "cost": Count("pk", filter=OLDER & Q(from_cache=False)) * settings.COST_PER_API_CALL,
        "saved": Sum("saved", default=ZERO)
        + Count("pk", filter=OLDER & Q(from_cache=True)) * settings.COST_PER_API_CALL,
    }


def _spent(calls: QuerySet[Any], **keys: Any) -> Rows:
    rows: Rows = calls.filter(billed=Billed.YES).values(**keys).annotate(cost=Sum("cost"))
    return rows


def _categories(log: QuerySet[Any], **keys: Any) -> Rows:
    # Fallback answers (`source=none`) are not counted.
    answered = log.exclude(category="").exclude(source=Source.NONE)
    rows: Rows = answered.values("category", **keys).annotate(
        answers=Count("pk"), total_confidence=Sum("confidence", default=ZERO)
    )
    return rows


def _errors(log: QuerySet[Any], **keys: Any) -> Rows:
    failed = log.filter(FAILED).values(error_code=F("outcome"), **keys)
    rows: Rows = failed.annotate(requests=Count("pk"))
    return rows


def _with_user(log: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that name a user; told by the length, since collations put control characters before
    "", or ignore them."""
    named: QuerySet[Any] = log.alias(characters=Length("user_id")).filter(characters__gt=0)
    return named


def _users(log: QuerySet[Any], **keys: Any) -> Rows:
    # After values(), an annotation may have the name of a field.
    named = _with_user(log).values("pk")
    rows: Rows = named.values(user_id=Exact("user_id"), **keys).annotate(
        requests=Count("pk"),
        hits=Count("pk", filter=Q(from_cache=True)),
        first_request=Min("created_at"),
        last_request=Max("created_at"),
    )
    return rows


def _of_apps(log: QuerySet[Any]) -> QuerySet[Any]:
    """The rows of apps with keys; those of `anonymous` are the difference to all rows, and not
    stored."""
    return log.filter(app_id__gt=ANONYMOUS_ID)


def _spending() -> dict[str, Any]:
    """New photos that the model answered, and their cost in yuan."""
    return {
        "new_photos": Count("pk", filter=Q(outcome=OK, from_cache=False)),
        "cost": Sum("cost", default=ZERO),
    }


def _ledger_sums() -> dict[str, Any]:
    billed, perhaps = Q(billed=Billed.YES), Q(billed=Billed.PERHAPS)
    return {
        "calls": Count("pk"),
        "billed_calls": Count("pk", filter=billed),
        "perhaps_billed_calls": Count("pk", filter=perhaps),
        "input_tokens": Sum("input_tokens", default=0),
        "cached_tokens": Sum("cached_tokens", default=0),
        "output_tokens": Sum("output_tokens", default=0),
        "billed_cost": Sum("cost", filter=billed, default=ZERO),
        "estimated_billed_cost": Sum("cost", filter=billed & Q(cost_is_exact=False), default=ZERO),
        "perhaps_billed_cost": Sum("cost", filter=perhaps, default=ZERO),
    }


MINUTES = Aggregation(
    RequestLog,
    models.Minute,
    ("day", "minute"),
    REQUEST_SUMS,
    lambda log: log.values(day=F("created_date"), minute=MINUTE).annotate(**_request_sums()),
)
DAYS = Aggregation(
    RequestLog,
    models.Day,
    ("day",),
    REQUEST_SUMS,
    lambda log: log.values(day=F("created_date")).annotate(**_request_sums()),
    finer=MINUTES,
)
SPENT_MINUTES = Aggregation(
    ModelCall,
    models.Minute,
    ("day", "minute"),
    _sums("cost"),
    lambda calls: _spent(calls, day=LocalDate("created_at"), minute=MINUTE),
)
SPENT_DAYS = Aggregation(
    ModelCall,
    models.Day,
    ("day",),
    _sums("cost"),
    lambda calls: _spent(calls, day=LocalDate("created_at")),
    finer=SPENT_MINUTES,
)
DURATIONS = Aggregation(
    RequestLog,
    models.DayDuration,
    ("day", "time_ms"),
    _sums("requests"),
    lambda log: (
        log.filter(processing_time_ms__isnull=False)
        .values(day=F("created_date"), time_ms=TIME_MS)
        .annotate(requests=Count("pk"))
    ),
)
CATEGORIES = Aggregation(
    RequestLog,
    models.DayCategory,
    ("day", "category"),
    _sums("answers", "total_confidence"),
    lambda log: _categories(log, day=F("created_date")),
)
MINUTE_CATEGORIES = Aggregation(
    RequestLog,
    models.MinuteCategory,
    ("day", "minute", "category"),
    _sums("answers", "total_confidence"),
    lambda log: _categories(log, day=F("created_date"), minute=MINUTE),
)
ERRORS = Aggregation(
    RequestLog,
    models.DayError,
    ("day", "error_code"),
    _sums("requests"),
    lambda log: _errors(log, day=F("created_date")),
)
MINUTE_ERRORS = Aggregation(
    RequestLog,
    models.MinuteError,
    ("day", "minute", "error_code"),
    _sums("requests"),
    lambda log: _errors(log, day=F("created_date"), minute=MINUTE),
)
DAY_USERS = Aggregation(
    RequestLog,
    models.DayUser,
    ("day", "user_id"),
    USER_COLUMNS | _sums("new_photos", "cost"),
    lambda log: _users(log, day=F("created_date")).annotate(**_spending()),
)
USERS = Aggregation(
    RequestLog,
    models.User,
    ("user_id",),
    USER_COLUMNS,
    _users,
)
ADDRESSES = Aggregation(
    RequestLog,
    models.DayAddress,
    ("day", "ip_address"),
    _sums("new_photos", "cost"),
    lambda log: (
        log.filter(ip_address__gt="")
        .values("ip_address")
        .values("ip_address", day=F("created_date"))
        .annotate(**_spending())
    ),
)
APP_DAYS = Aggregation(
    RequestLog,
    models.DayApp,
    ("day", "app_id"),
    APP_SUMS,
    lambda log: (
        _of_apps(log)
        .values("app_id", day=F("created_date"))
        .annotate(**{name: total for name, total in _request_sums().items() if name in APP_SUMS})
    ),
)
APP_ERRORS = Aggregation(
    RequestLog,
    models.DayAppError,
    ("day", "app_id", "error_code"),
    _sums("requests"),
    lambda log: (
        _of_apps(log)
        .filter(FAILED)
        .values("app_id", day=F("created_date"), error_code=F("outcome"))
        .annotate(requests=Count("pk"))
    ),
)
APP_USERS = Aggregation(
    RequestLog,
    models.DayAppUser,
    ("app_id", "day", "user_id"),
    _sums("requests", "hits"),
    lambda log: (
        _with_user(_of_apps(log))
        .values("app_id")
        .values("app_id", day=F("created_date"), user_id=Exact("user_id"))
        .annotate(requests=Count("pk"), hits=Count("pk", filter=Q(from_cache=True)))
    ),
)
LEDGER = Aggregation(
    ModelCall,
    models.DayLedger,
    ("day", "model"),
    LEDGER_SUMS,
    lambda calls: calls.values("model", day=LocalDate("created_at")).annotate(**_ledger_sums()),
)
APP_LEDGER = Aggregation(
    ModelCall,
    models.DayAppLedger,
    ("day", "app_id", "model"),
    LEDGER_SUMS,
    lambda calls: (
        calls.exclude(app_id=ANONYMOUS_ID)
        .values("app_id", "model", day=LocalDate("created_at"))
        .annotate(**_ledger_sums())
    ),
)

BY_MINUTE = (MINUTES, SPENT_MINUTES, MINUTE_CATEGORIES, MINUTE_ERRORS)
SOURCES: Sequence[type[Model]] = (RequestLog, ModelCall)
AGGREGATIONS = (
    MINUTES,
    SPENT_MINUTES,
    DAYS,
    SPENT_DAYS,
    DURATIONS,
    CATEGORIES,
    MINUTE_CATEGORIES,
    ERRORS,
    MINUTE_ERRORS,
    DAY_USERS,
    USERS,
    ADDRESSES,
    APP_DAYS,
    APP_ERRORS,
    APP_USERS,
    LEDGER,
    APP_LEDGER,
)


def of_days(source: type[Model], first: date, last: date) -> QuerySet[Any]:
    """The rows of the log or the ledger from the local day `first` to `last`, inclusive."""
    if source is RequestLog:
        return RequestLog.objects.filter(created_date__range=(first, last))
    # The local day decides; the wider range of times makes the index usable.
    start = datetime.combine(first, time.min, timezone.utc) - timedelta(days=1)
    end = datetime.combine(last, time.max, timezone.utc) + timedelta(days=1)
    around = ModelCall.objects.filter(created_at__range=(start, end))
    return around.alias(day=LocalDate("created_at")).filter(day__gte=first, day__lte=last)
