"""Converts sums to figures: rates, averages and shares, by their names in the API."""

from collections.abc import Iterable, Mapping
from typing import Any

from stats.aggregations import REQUEST_SUMS
from stats.merging import Row


def added_up(rows: Iterable[Mapping[str, Any]]) -> Row:
    """The sums of requests over all rows; a missing sum counts as 0."""
    rows = list(rows)
    return {name: sum(row.get(name, 0) for row in rows) for name in REQUEST_SUMS}


def derived(sums: Mapping[str, Any]) -> Row:
    """The figures derived from the sums of requests."""
    total, hits, timed = sums["requests"], sums["hits"], sums["timed_requests"]
    return {
        "total_requests": total,
        "cache_hits": hits,
        "cache_misses": total - hits,
        "cache_hit_rate": 100 * hits / total if total else 0,
        "avg_processing_time_ms": sums["total_time_ms"] / timed if timed else 0,
        "estimated_cost": sums["cost"],
        "cost_saved": sums["saved"],
        "failed_requests": sums["failures"],
    }


def category_figures(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The answers of each category, most frequent first, with its share of all."""
    found = sorted(rows, key=lambda row: (-row["answers"], row["category"]))
    total = sum(row["answers"] for row in found)
    return [
        {
            "category": row["category"],
            "count": row["answers"],
            "percentage": 100 * row["answers"] / total,
            "avg_confidence": row["total_confidence"] / row["answers"],
        }
        for row in found
    ]


def error_figures(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The failures of each code, most frequent first."""
    return [
        {"error_code": row["error_code"], "count": row["requests"]}
        for row in sorted(rows, key=lambda row: (-row["requests"], row["error_code"]))
    ]
