"""How rows of the request log and of the ledger add up, table by table.

Each tally is one SELECT. It fills its table when rows are rolled up, and answers for the rows
that are not yet; so that the two can't count differently.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import CharField, Count, F, Max, Min, Model, Q, QuerySet, Sum
from django.db.models.functions import Cast, Substr

from classification.models import LocalDate, ModelCall, RequestLog
from classification.outcomes import OK
from stats import models

ZERO = Decimal(0)
FAILED = ~Q(outcome=OK)
# Stored times are the wall clock's, so their text is: YYYY-MM-DD HH:MM:SS.
MINUTE = Substr(Cast("created_at", CharField(max_length=26)), 12, 5)


@dataclass(frozen=True, slots=True)
class Tally:
    """`select` makes rows of `table`, as dicts of its columns, from some rows of `source`."""

    source: type[Model]
    table: type[Model]
    keys: Sequence[str]
    select: Callable[[QuerySet[Any]], QuerySet[Any, dict[str, Any]]]


def _figures() -> dict[str, Any]:
    return {
        "requests": Count("pk"),
        "hits": Count("pk", filter=Q(from_cache=True)),
        "failures": Count("pk", filter=FAILED),
        "timed_requests": Count("processing_time_ms"),
        "total_time_ms": Sum("processing_time_ms", default=0),
        "cost": Sum("cost", default=ZERO),
        "saved": Sum("saved", default=ZERO),
    }


def _users() -> dict[str, Any]:
    return {
        "requests": Count("pk"),
        "hits": Count("pk", filter=Q(from_cache=True)),
        "first_request": Min("created_at"),
        "last_request": Max("created_at"),
    }


MINUTES = Tally(
    RequestLog,
    models.Minute,
    ("day", "minute"),
    lambda log: log.values(day=F("created_date"), minute=MINUTE).annotate(**_figures()),
)
DAYS = Tally(
    RequestLog,
    models.Day,
    ("day",),
    lambda log: log.values(day=F("created_date")).annotate(**_figures()),
)
DURATIONS = Tally(
    RequestLog,
    models.DayDuration,
    ("day", "time_ms"),
    lambda log: (
        log.filter(processing_time_ms__isnull=False)
        .values(day=F("created_date"), time_ms=F("processing_time_ms"))
        .annotate(requests=Count("pk"))
    ),
)
# What stood in as `other` for a failed call is no answer.
CATEGORIES = Tally(
    RequestLog,
    models.DayCategory,
    ("day", "category"),
    lambda log: (
        log.exclude(category="")
        .exclude(source="none")
        .values("category", day=F("created_date"))
        .annotate(answers=Count("pk"), total_confidence=Sum("confidence"))
    ),
)
ERRORS = Tally(
    RequestLog,
    models.DayError,
    ("day", "error_code"),
    lambda log: (
        log.filter(FAILED)
        .values(day=F("created_date"), error_code=F("outcome"))
        .annotate(requests=Count("pk"))
    ),
)
DAY_USERS = Tally(
    RequestLog,
    models.DayUser,
    ("day", "user_id"),
    lambda log: (
        log.filter(user_id__gt="").values("user_id", day=F("created_date")).annotate(**_users())
    ),
)
USERS = Tally(
    RequestLog,
    models.User,
    ("user_id",),
    lambda log: log.filter(user_id__gt="").values("user_id").annotate(**_users()),
)
ADDRESSES = Tally(
    RequestLog,
    models.DayAddress,
    ("day", "ip_address"),
    lambda log: (
        log.filter(ip_address__gt="")
        .values("ip_address", day=F("created_date"))
        .annotate(first_request=Min("created_at"))
    ),
)
LEDGER = Tally(
    ModelCall,
    models.DayLedger,
    ("day", "model"),
    lambda calls: calls.values("model", day=LocalDate("created_at")).annotate(
        calls=Count("pk"),
        billed_calls=Count("pk", filter=Q(billed="yes")),
        perhaps_billed_calls=Count("pk", filter=Q(billed="perhaps")),
        input_tokens=Sum("input_tokens", default=0),
        output_tokens=Sum("output_tokens", default=0),
        billed_cost=Sum("cost", filter=Q(billed="yes"), default=ZERO),
        perhaps_billed_cost=Sum("cost", filter=Q(billed="perhaps"), default=ZERO),
    ),
)

SOURCES: Sequence[type[Model]] = (RequestLog, ModelCall)
TALLIES = (
    MINUTES,
    DAYS,
    DURATIONS,
    CATEGORIES,
    ERRORS,
    DAY_USERS,
    USERS,
    ADDRESSES,
    LEDGER,
)
