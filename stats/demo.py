"""Demo data for tests, demos and benchmarks: marked as such, and removable."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Max, Min, Model, Q, Sum
from django.utils import timezone

from classification.choices import DEMO, Billed, Source
from classification.models import CacheEntry, ModelCall, RequestLog
from core import wall_clock
from stats import aggregations
from stats.models import (
    Day,
    DayAddress,
    DayCategory,
    DayDuration,
    DayError,
    DayLedger,
    DayUser,
    Minute,
    MinuteCategory,
    MinuteError,
    RollUp,
    User,
)
from stats.rollup import chunks, summary_tables

# Every demo row is recognisable: by its request id, user id, address or provider.
MARK = DEMO
USER = "demo-"
NETWORK = "198.51.100."  # reserved for documentation by RFC 5737
PROVIDER = "demo"

BATCH_ROWS = 2000
BY_MINUTE: tuple[type[Model], ...] = (Minute, MinuteCategory, MinuteError)
SHARES = {
    "pets": 22,
    "foods": 20,
    "social_activities": 18,
    "single_person": 15,
    "travel_scenery": 12,
    "screenshot": 8,
    "idcard": 2,
    "other": 3,
}
HUNDRED = [category for category, share in SHARES.items() for _ in range(share)]
DESCRIPTIONS: dict[str, list[str | None]] = {
    "pets": ["一只橘猫趴在沙发上", "两只小狗在草地上奔跑", "一只白猫望着窗外"],
    "foods": ["一碗牛肉面，配青菜", "一盘饺子和一碟醋", "生日蛋糕，上面有草莓"],
    "social_activities": ["朋友聚餐时的合影", "一群人在操场上打篮球"],
    "single_person": ["一位女士在海边自拍", "一个戴帽子的小孩"],
    "travel_scenery": ["雪山与湖泊", "夜晚的城市天际线"],
    "screenshot": ["聊天应用的界面", "地图应用的路线页面"],
    "idcard": [None],
    "other": ["墙上的挂钟", "一把木椅"],
}
FAILURES = ["model_timeout", "model_busy", "invalid_image", "invalid_image", "image_rejected"]
FAILURE_SHARE = 0.012
MODEL = "qwen3-vl-plus"
# 850 input and 60 output tokens, at 1 and 10 yuan per million.
COST = Decimal("0.00145")


@dataclass(frozen=True, slots=True)
class Size:
    """How much history: `requests` over the last `days` days, by some number of users."""

    days: int
    requests: int

    @property
    def entries(self) -> int:
        return max(self.requests // 4, 1)

    @property
    def users(self) -> int:
        return max(self.requests // 40, 1)


def seed(size: Size) -> Iterator[int]:
    """Write a history that ends now; yields the number of requests of each batch.

    Deterministic, except for the dates.
    """
    chance = random.Random(6)  # noqa: S311
    now = timezone.now()
    for start in range(0, size.entries, BATCH_ROWS):
        numbers = range(start, min(start + BATCH_ROWS, size.entries))
        CacheEntry.objects.bulk_create(_entry(chance, number, size, now) for number in numbers)
    times = _times(chance, size, now)
    for start in range(0, size.requests, BATCH_ROWS):
        rows = [_request(chance, at, size) for at in times[start : start + BATCH_ROWS]]
        with transaction.atomic():
            RequestLog.objects.bulk_create(rows)
            ModelCall.objects.bulk_create(map(_call, filter(_is_paid, rows)))
        yield len(rows)


def is_there() -> bool:
    """Whether there are demo requests."""
    # A range can use the index on every database; on MariaDB, a binary LIKE cannot.
    return RequestLog.objects.filter(request_id__gte="demo", request_id__lt="demp").exists()


def counts_of(start: datetime, end: datetime) -> dict[str, int]:
    """The number of demo requests, hits and failures from `start` to `end`."""
    rows = RequestLog.objects.filter(created_at__gte=start, created_at__lt=end)
    counts: dict[str, int] = rows.filter(request_id__startswith=MARK).aggregate(
        requests=Count("pk"),
        hits=Count("pk", filter=Q(from_cache=True)),
        failures=Count("pk", filter=aggregations.FAILED),
    )
    return counts


def cost_of(day: date) -> Decimal:
    """The cost of demo calls on a day, in yuan, which nobody paid."""
    midnight = wall_clock.midnight(day)
    calls = ModelCall.objects.filter(created_at__gte=midnight, request_id__startswith=MARK)
    until = calls.filter(created_at__lt=midnight + timedelta(days=1)).exclude(billed=Billed.NO)
    total: Decimal = until.aggregate(cost=Sum("cost", default=Decimal(0)))["cost"]
    return total


def remove() -> Iterator[int]:
    """Delete all demo rows and subtract them from the figures; yields the number of rows of each
    batch."""
    kept = {table: _oldest(table) for table in BY_MINUTE}
    for source in (RequestLog, ModelCall):
        rows = source._default_manager.filter(request_id__startswith=MARK)
        ids = rows.aggregate(first=Min("pk"), last=Max("pk"))
        if ids["first"] is None:
            continue
        for start in range(ids["first"], ids["last"] + 1, chunks.CHUNK_ROWS):
            chunk = rows.filter(pk__gte=start, pk__lt=start + chunks.CHUNK_ROWS)
            with transaction.atomic():
                states = RollUp.objects.select_for_update().filter(pk=source._meta.db_table)
                for state in states:
                    summary_tables.add_up(chunk.filter(pk__lte=state.upto), "-")
                deleted = chunk.delete()[0]
            yield deleted
    yield CacheEntry.objects.filter(provider=PROVIDER).delete()[0]
    with transaction.atomic():
        _forget_people()
        # Subtracting from minutes that had been purged has created negative rows.
        for table, oldest in kept.items():
            table._default_manager.filter(day__lt=oldest).delete()


def _oldest(table: type[Model]) -> date:
    day: date | None = table._default_manager.aggregate(day=Min("day"))["day"]
    return day or date.max


def _forget_people() -> None:
    days = DayUser.objects.filter(user_id__startswith=USER).values_list("day", flat=True)
    for day in set(days):
        users = DayUser.objects.filter(day=day, user_id__startswith=USER).delete()[0]
        addresses = DayAddress.objects.filter(day=day, ip_address__startswith=NETWORK).delete()[0]
        summary_tables.forget_people(day, users=users, addresses=addresses)
    User.objects.filter(user_id__startswith=USER).delete()
    Minute.objects.filter(requests=0, cost=0).delete()
    MinuteCategory.objects.filter(answers=0).delete()
    MinuteError.objects.filter(requests=0).delete()
    Day.objects.filter(requests=0, cost=0).delete()
    DayDuration.objects.filter(requests=0).delete()
    DayError.objects.filter(requests=0).delete()
    DayCategory.objects.filter(answers=0).delete()
    DayLedger.objects.filter(calls=0).delete()


def _times(chance: random.Random, size: Size, now: datetime) -> list[datetime]:
    """Sorted times of requests: more recently, at weekends and in the evening."""
    ages = range(size.days)
    weekend = [1.4 if (now - timedelta(days=age)).weekday() >= 5 else 1.0 for age in ages]
    weights = [weekend[age] * (1.6 - age / size.days) * chance.uniform(0.9, 1.1) for age in ages]
    evening = [0.2 if hour < 7 else 2.0 if hour >= 18 else 1.0 for hour in range(24)]
    local = timezone.localtime(now)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    times = []
    for age, hour in zip(
        chance.choices(ages, weights, k=size.requests),
        chance.choices(range(24), evening, k=size.requests),
        strict=True,
    ):
        at = midnight - timedelta(days=age) + timedelta(hours=hour, seconds=3600 * chance.random())
        if at > now:  # an hour of today that is still to come
            at = midnight + (now - midnight) * chance.random()
        times.append(at)
    return sorted(times)


def _entry(chance: random.Random, number: int, size: Size, now: datetime) -> CacheEntry:
    category = _category(number)
    return CacheEntry(
        image_hash=_hash(number),
        category=category,
        description=chance.choice(DESCRIPTIONS[category]),
        confidence=Decimal(chance.randint(720, 990)) / 1000,
        model_used=MODEL,
        provider=PROVIDER,
        prompt_version=1,
        hit_count=min(int(chance.paretovariate(0.9)), 4000),
        cost=COST,
        cost_is_exact=True,
        created_at=now - timedelta(days=chance.random() * size.days),
    )


def _hash(number: int) -> str:
    return hashlib.sha256(f"{MARK}{number}".encode()).hexdigest()


def _category(number: int) -> str:
    """The category of an entry, determined by its number."""
    return HUNDRED[number * 37 % 100]


def _request(chance: random.Random, at: datetime, size: Size) -> RequestLog:
    number = min(int(chance.paretovariate(0.3)), size.entries) - 1
    row = RequestLog(
        request_id=f"{MARK}{int(at.timestamp())}_{chance.randbytes(6).hex()}",
        user_id=f"{USER}{min(int(chance.paretovariate(0.4)), size.users):06}",
        ip_address=f"{NETWORK}{chance.randint(1, 250)}",
        image_hash=_hash(number),
        image_size=chance.randint(50_000, 900_000),
        created_at=at,
        processing_time_ms=chance.randint(700, 2600),
    )
    if chance.random() < FAILURE_SHARE:
        row.outcome = chance.choice(FAILURES)
        return row
    row.category, row.source, row.cost = _category(number), Source.LLM, COST
    row.confidence = Decimal(chance.randint(720, 990)) / 1000
    if chance.random() < 0.75:
        row.from_cache, row.source = True, Source.CACHE
        row.processing_time_ms = chance.randint(1, 9)
        row.cost, row.saved = Decimal(0), COST
    return row


def _is_paid(row: RequestLog) -> bool:
    return row.source == Source.LLM or row.outcome == "model_timeout"


def _call(row: RequestLog) -> ModelCall:
    """The ledger row of a paid request; a timed out one is possibly billed."""
    is_answer = row.source == Source.LLM
    return ModelCall(
        request_id=row.request_id,
        image_hash=row.image_hash,
        model=MODEL,
        outcome=row.outcome,
        billed=Billed.YES if is_answer else Billed.PERHAPS,
        input_tokens=850 if is_answer else None,
        output_tokens=60 if is_answer else None,
        cost=COST,
        cost_is_exact=is_answer,
        duration_ms=row.processing_time_ms or 0,
        created_at=row.created_at,
    )
