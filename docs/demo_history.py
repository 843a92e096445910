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
COST = Decimal("0.0008")


def write() -> None:
    """Write the history; the same one each time, but for the date it ends on."""
    chance = random.Random(6)  # noqa: S311
    entries = [_entry(chance, number) for number in range(3000)]
    CacheEntry.objects.bulk_create(entries)
    RequestLog.objects.bulk_create(_requests(chance, entries, timezone.now()), batch_size=1000)


def _entry(chance: random.Random, number: int) -> CacheEntry:
    age = timedelta(days=chance.random() * DAYS)
    category = chance.choices(list(SHARES), list(SHARES.values()))[0]
    return CacheEntry(
        image_hash=hashlib.sha256(str(number).encode()).hexdigest(),
        category=category,
        description=chance.choice(DESCRIPTIONS[category]),
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
