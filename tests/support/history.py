"""Create log and ledger rows for tests, and read the figures as staff do."""

import random
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client

from classification.models import ModelCall, RequestLog
from stats import snapshot

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 2, 14, 30, tzinfo=SHANGHAI)
A_WHILE = timedelta(seconds=snapshot.READER_PAUSE_SECONDS + 1)  # longer than rows take to settle
ADDRESSES = (
    "today",
    "cache-efficiency",
    "category-distribution",
    "users/top",
    "trend?days=7",
    "errors?days=7",
)


def log(at: datetime = NOW, **fields: Any) -> None:
    """A request; one that cost something has its call in the ledger, as the service writes it."""
    defaults = {
        "request_id": "r",
        "user_id": "u1",
        "ip_address": "192.0.2.1",
        "category": "pets",
        "confidence": Decimal("0.9"),
        "processing_time_ms": 10,
        "created_at": at,
        "source": "llm",
    }
    row = RequestLog.objects.create(**(defaults | fields))
    if row.cost:
        call(at, cost=row.cost, app_id=row.app_id)


def call(at: datetime = NOW, **fields: Any) -> None:
    """A line of the ledger."""
    defaults = {
        "request_id": "r",
        "image_hash": "0" * 64,
        "model": "qwen-vl-plus",
        "outcome": "ok",
        "billed": "yes",
        "input_tokens": 800,
        "output_tokens": 40,
        "cost": Decimal("0.00072"),
        "duration_ms": 700,
        "created_at": at,
    }
    ModelCall.objects.create(**(defaults | fields))


def scatter(seed: int, count: int, days: int = 4) -> None:
    """Rows of all kinds over the last days, in no order of time."""
    chance = random.Random(seed)  # noqa: S311
    for _ in range(count):
        at = NOW - timedelta(seconds=chance.randrange(days * 86_400))
        is_hit = chance.random() < 0.6
        outcome = chance.choice(["ok"] * 8 + ["model_timeout", "invalid_image"])
        log(
            at,
            user_id=chance.choice([None, "", "a", "b", "c", "d", "e"]),
            ip_address=f"192.0.2.{chance.randrange(6)}",
            category=chance.choice(["pets", "foods", "other"]) if outcome == "ok" else "",
            confidence=Decimal(chance.randrange(10_000)) / 10_000,
            from_cache=is_hit and outcome == "ok",
            outcome=outcome,
            source="cache" if is_hit else "llm",
            processing_time_ms=chance.choice([None, 1, 5, 700, 2000]),
            saved=Decimal(chance.randrange(2000)) / 1_000_000,
        )
        call(
            at,
            model=chance.choice(["qwen-vl-plus", "qwen-vl-max"]),
            outcome=outcome,
            billed=chance.choice(["yes", "no", "perhaps"]),
            input_tokens=chance.choice([None, 800]),
            output_tokens=chance.choice([None, 40]),
            cost=Decimal(chance.randrange(2000)) / 1_000_000,
        )


def data(client: Client, address: str) -> Any:
    """The `data` of a statistics endpoint."""
    body = client.get(f"/api/v1/stats/{address}").json()
    assert body["success"] is True
    assert {"request_id", "timestamp"} < set(body)
    return body["data"]


def figures(client: Client, addresses: Sequence[str] = ADDRESSES) -> dict[str, Any]:
    """Every figure there is."""
    return {address: data(client, address) for address in addresses}


def log_links(page: str, first: str = "") -> dict[str, int]:
    """The links of a page to rows of the request log whose query starts with `first`: address ->
    the figure shown in the link, or beside it."""
    links = re.findall(
        rf'href="(/admin/classification/requestlog/\?{first}[^"]+)"[^>]*>(?:<bdi>)?([^<]+)(?:</bdi>)?'
        r'</a>(?:\s*</th>.*?<td class="number">(?:\s*<b>.*?class="quiet">)?(\d+))?',
        page,
        re.DOTALL,
    )
    return {
        unescape(address): int(own if own.strip().isdigit() else beside)
        for address, own, beside in links
    }


def rows_in_log(staff: Client, address: str) -> int:
    """How many rows the admin's list at an address has."""
    count: int = staff.get(address).context["cl"].result_count
    return count
