"""Ninety days of made-up requests for the README's pictures, in an empty database."""

import hashlib
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from classification.models import CacheEntry, RequestLog

DAYS = 90
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
FAILURES = ["model_timeout", "model_busy", "invalid_image", "invalid_image", "image_rejected"]
COST = Decimal("0.0008")


def write() -> None:
    """Write the history; the same one each time, but for the date it ends on."""
    chance = random.Random(6)  # noqa: S311
    entries = [_entry(chance, number) for number in range(3000)]
    CacheEntry.objects.bulk_create(entries)
    RequestLog.objects.bulk_create(_requests(chance, entries, timezone.now()), batch_size=1000)


def _entry(chance: random.Random, number: int) -> CacheEntry:
    age = timedelta(days=chance.random() * DAYS)
    return CacheEntry(
        image_hash=hashlib.sha256(str(number).encode()).hexdigest(),
        category=chance.choices(list(SHARES), list(SHARES.values()))[0],
        confidence=Decimal(chance.randint(720, 990)) / 1000,
        model_used="qwen-vl-plus",
        provider="aliyun",
        prompt_version=1,
        hit_count=min(int(chance.paretovariate(0.9)), 4000),
        cost=COST,
        created_at=timezone.now() - age,
    )


def _requests(
    chance: random.Random, entries: list[CacheEntry], now: datetime
) -> Iterator[RequestLog]:
    for age in range(DAYS):
        weekend = 1.4 if (now - timedelta(days=age)).weekday() >= 5 else 1
        for _ in range(int(320 * weekend * (1.6 - age / DAYS) * chance.uniform(0.9, 1.1))):
            at = now - timedelta(days=age, seconds=chance.random() * 86_400)
            yield _request(chance, chance.choice(entries), at, hit_share=0.78 - age / 400)


def _request(
    chance: random.Random, entry: CacheEntry, at: datetime, *, hit_share: float
) -> RequestLog:
    row = RequestLog(
        request_id=f"req_{int(at.timestamp())}_{chance.randbytes(6).hex()}",
        user_id=f"device-{min(int(chance.paretovariate(0.8)), 400):04}",
        ip_address=f"10.0.0.{chance.randint(1, 250)}",
        image_hash=entry.image_hash,
        image_size=chance.randint(50_000, 900_000),
        created_at=at,
        processing_time_ms=chance.randint(700, 2600),
    )
    if chance.random() < 0.012:
        row.outcome = chance.choice(FAILURES)
        return row
    row.category, row.confidence, row.source = entry.category, entry.confidence, "llm"
    row.cost = COST
    if chance.random() < hit_share:
        row.from_cache, row.source, row.processing_time_ms = True, "cache", chance.randint(1, 9)
        row.cost, row.saved = Decimal(0), COST
    return row
