"""Converts the rows of an older installation, and finds impossible ones.

The older service stored a failed call as the answer `other` with confidence 0.5 and an error
message. Such an entry must not be served: it is marked to be asked again, until there is a new
answer or a correction, and its requests count as failed.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import (
    Case,
    Exists,
    F,
    Max,
    Model,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Lower

from classification.categories import KEYS, OTHER
from classification.choices import OK, Source

BATCH_ROWS = 20_000
BATCH_HASHES = 500
FAILURE_CONFIDENCE = Decimal("0.5")
# Error messages, in Chinese or English, stored as descriptions.
FAILURE_WORDS = (
    "失败|错误|异常|超时|无法(识别|分类|解析|处理|连接|访问)|不可用|未能|解析出错|默认分类|"
    "fail|error|exception|time(d)? ?out|unavailable|unable to|could not|can ?not (be )?"
    "(classif|pars|connect)|default category"
)
FAILURE_REPLY = '"(error|error_message|exception)" *: *("[^"]|[{]|true)'
ONE_OF_KEYS = f"^({'|'.join(sorted(KEYS))})$"
HASH = "^[0-9a-fA-F]{64}$"

UNKNOWN_CATEGORY = Q(category=None) | ~Q(category__regex=ONE_OF_KEYS)
NO_HASH = Q(image_hash=None) | ~Q(image_hash__regex=HASH)
NO_CONFIDENCE = Q(confidence=None) | ~Q(confidence__gte=0, confidence__lte=1)
KEPT_FAILURE = Q(category=OTHER, confidence=FAILURE_CONFIDENCE) & (
    Q(says__iregex=FAILURE_WORDS) | Q(words__iregex=FAILURE_REPLY)
)


class ImpossibleRows(NamedTuple):
    """The impossible rows of one kind. `remedy` is what --drop-impossible does: "dropped", or the
    correction if only a count or a time is wrong; "" for log rows, which are kept."""

    name: str
    remedy: str
    rows: QuerySet[Any]


def impossible_entries(entries: type[Model], now: datetime) -> list[ImpossibleRows]:
    """The kinds of impossible cache entries, as unevaluated queries."""
    rows = _with_words(entries)
    twin = entries._default_manager.filter(image_hash=Lower(OuterRef("image_hash")))
    twice = Q(image_hash__regex="[A-F]") & Q(Exists(twin.exclude(pk=OuterRef("pk"))))
    return [
        ImpossibleRows(
            "category is not one of the eight", "dropped", rows.filter(UNKNOWN_CATEGORY)
        ),
        ImpossibleRows("confidence is not from 0 to 1", "dropped", rows.filter(NO_CONFIDENCE)),
        ImpossibleRows("hash is not 64 hexadecimal digits", "dropped", rows.filter(NO_HASH)),
        ImpossibleRows("hash exists twice, in upper and lower case", "dropped", rows.filter(twice)),
        ImpossibleRows("a failed call stored as an answer", "dropped", rows.filter(KEPT_FAILURE)),
        ImpossibleRows(
            "hit count below 1",
            "set to 1",
            rows.filter(Q(hit_count=None) | Q(hit_count__lt=1)),
        ),
        ImpossibleRows(
            "created or last hit in the future",
            "set to now",
            rows.filter(Q(created_at__gt=now) | Q(last_hit_at__gt=now)),
        ),
    ]


def impossible_requests(log: type[Model], now: datetime) -> list[ImpossibleRows]:
    """The kinds of impossible log rows; they are kept as history."""
    rows = log._default_manager.all()
    return [
        ImpossibleRows(
            "category is not one of the eight: counted as failed",
            "",
            rows.exclude(category="").filter(UNKNOWN_CATEGORY),
        ),
        ImpossibleRows("confidence is not from 0 to 1", "", rows.filter(NO_CONFIDENCE)),
        ImpossibleRows(
            "hash is not 64 hexadecimal digits",
            "",
            rows.exclude(image_hash="").exclude(image_hash__regex=HASH),
        ),
        ImpossibleRows("in the future", "", rows.filter(created_at__gt=now)),
    ]


def take_over(entries: type[Model], log: type[Model]) -> None:
    """Convert older rows; converted rows and our own are not changed.

    Works in small steps, and can be interrupted and repeated.
    """
    _name_hashes(entries)
    _quote_replies(entries)
    _set_aside(entries)
    # The cost of an entry was not stored; the older service used a constant as well.
    entries._default_manager.filter(provider="", cost=0).update(cost=settings.COST_PER_API_CALL)
    for image_hashes in _failed_hashes(entries):
        _older(log).filter(
            image_hash__in=image_hashes, category=OTHER, confidence=FAILURE_CONFIDENCE
        ).update(outcome="model_unavailable", source=Source.NONE)
    last = log._default_manager.aggregate(last=Max("pk"))["last"] or 0
    for start in range(0, last + 1, BATCH_ROWS):
        _explain(_older(log).filter(pk__gte=start, pk__lt=start + BATCH_ROWS))


def _older(log: type[Model]) -> QuerySet[Any]:
    """Log rows of the older service; our own successful ones have a source."""
    return log._default_manager.filter(source="", outcome=OK)


def _explain(rows: QuerySet[Any]) -> None:
    """Fill in source, cost and saving of older log rows."""
    rows.exclude(category="").filter(UNKNOWN_CATEGORY).update(
        outcome="model_bad_reply", source=Source.NONE
    )
    price, nothing = Value(settings.COST_PER_API_CALL), Value(Decimal(0))
    is_hit = Q(from_cache=True)
    rows.update(
        source=Case(When(is_hit, then=Value(Source.CACHE)), default=Value(Source.LLM)),
        saved=Case(When(is_hit, then=price), default=nothing),
        cost=Case(When(is_hit, then=nothing), default=price),
    )


def _name_hashes(entries: type[Model]) -> None:
    """Convert hashes to lower case in case-sensitive tables, unless both spellings exist."""
    twin = entries._default_manager.filter(image_hash=Lower(OuterRef("image_hash")))
    upper = entries._default_manager.filter(image_hash__regex="[A-F]")
    lone = upper.filter(~Exists(twin)).values_list("pk", flat=True)
    for batch in _batches(list(lone)):
        entries._default_manager.filter(pk__in=batch).update(image_hash=Lower(F("image_hash")))


def _quote_replies(entries: type[Model]) -> None:
    """Convert model replies that are plain text to JSON strings."""
    table = connection.ops.quote_name(entries._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET model_response = JSON_QUOTE(model_response) "  # noqa: S608
            "WHERE model_response IS NOT NULL AND NOT JSON_VALID(model_response)"
        )


def _set_aside(entries: type[Model]) -> None:
    wrong = _with_words(entries).filter(
        KEPT_FAILURE | NO_CONFIDENCE, provider="", corrected_at=None
    )
    keys = list(wrong.values_list("pk", flat=True))
    for batch in _batches(keys):
        entries._default_manager.filter(pk__in=batch).update(ask_again=True)


def _failed_hashes(entries: type[Model]) -> Iterable[list[str]]:
    failed = _with_words(entries).filter(KEPT_FAILURE, provider="")
    return _batches(list(failed.values_list("image_hash", flat=True)))


def _with_words(entries: type[Model]) -> QuerySet[Any]:
    """Entries annotated with reply and description as text, in a character set that can be compared
    with Chinese."""
    return entries._default_manager.annotate(
        words=Cast("model_response", TextField()), says=Cast("description", TextField())
    )


def _batches(values: list[Any]) -> Iterable[list[Any]]:
    return (values[i : i + BATCH_HASHES] for i in range(0, len(values), BATCH_HASHES))
