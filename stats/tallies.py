"""How rows of the request log and of the ledger add up, table by table.

Each tally is one SELECT. It fills its table when rows are rolled up, and answers for the rows
that are not yet; so that the two can't count differently.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Count, F, Func, Max, Min, Model, Q, QuerySet, Sum
from django.db.models.functions import Cast, Substr
from django.db.models.sql.compiler import SQLCompiler

from classification.models import LocalDate, ModelCall, RequestLog
from classification.outcomes import OK
from stats import models

Rows: TypeAlias = "QuerySet[Any, dict[str, Any]]"

ZERO = Decimal(0)
FAILED = ~Q(outcome=OK)
# Stored times are the wall clock's, so their text is: YYYY-MM-DD HH:MM:SS.
MINUTE = Substr(Cast("created_at", CharField(max_length=26)), 12, 5)
# The service this one replaces kept neither a source nor a price with an answer.
OLDER = Q(source="", outcome=OK)


class Exact(Func):
    """A text whose equals are the same byte for byte, as in the tables of stats.models."""

    template = "%(expressions)s"
    arity = 1

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        return self.as_sql(
            compiler, connection, template="%(expressions)s COLLATE utf8mb4_bin", **context
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """`select` makes rows of `table`, as dicts of its columns, from some rows of `source`."""

    source: type[Model]
    table: type[Model]
    keys: Sequence[str]
    select: Callable[[QuerySet[Any]], Rows]


def _figures() -> dict[str, Any]:
    return {
        "requests": Count("pk"),
        "hits": Count("pk", filter=Q(from_cache=True)),
        "failures": Count("pk", filter=FAILED),
        "timed_requests": Count("processing_time_ms"),
        "total_time_ms": Sum("processing_time_ms", default=0),
        # What newer answers cost is added up from the ledger.
        "cost": Count("pk", filter=OLDER & Q(from_cache=False)) * settings.COST_PER_API_CALL,
        "saved": Sum("saved", default=ZERO)
        + Count("pk", filter=OLDER & Q(from_cache=True)) * settings.COST_PER_API_CALL,
    }


def _spent(calls: QuerySet[Any], **keys: Any) -> Rows:
    rows: Rows = calls.filter(billed="yes").values(**keys).annotate(cost=Sum("cost"))
    return rows


def _users(log: QuerySet[Any], **keys: Any) -> Rows:
    # After a values() call an annotation may have the name of a field.
    named = log.filter(user_id__gt="").values("pk")
    rows: Rows = named.values(user_id=Exact("user_id"), **keys).annotate(
        requests=Count("pk"),
        hits=Count("pk", filter=Q(from_cache=True)),
        first_request=Min("created_at"),
        last_request=Max("created_at"),
    )
    return rows


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
SPENT_MINUTES = Tally(
    ModelCall,
    models.Minute,
    ("day", "minute"),
    lambda calls: _spent(calls, day=LocalDate("created_at"), minute=MINUTE),
)
SPENT_DAYS = Tally(
    ModelCall, models.Day, ("day",), lambda calls: _spent(calls, day=LocalDate("created_at"))
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
    lambda log: _users(log, day=F("created_date")),
)
USERS = Tally(
    RequestLog,
    models.User,
    ("user_id",),
    _users,
)
ADDRESSES = Tally(
    RequestLog,
    models.DayAddress,
    ("day", "ip_address"),
    lambda log: (
        log.filter(ip_address__gt="").values("ip_address", day=F("created_date")).distinct()
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
    SPENT_MINUTES,
    DAYS,
    SPENT_DAYS,
    DURATIONS,
    CATEGORIES,
    ERRORS,
    DAY_USERS,
    USERS,
    ADDRESSES,
    LEDGER,
)
