"""Percentiles of values that come with the number of times they occur."""

from collections.abc import Iterable


def percentile(percent: int, counts: Iterable[tuple[int, int]]) -> int:
    """The smallest value that so many percent of all do not exceed; 0 when there is none."""
    values = sorted(counts)
    total = sum(count for _, count in values)
    reached = 0
    for value, count in values:
        reached += count
        if 100 * reached >= percent * total:
            return value
    return 0
