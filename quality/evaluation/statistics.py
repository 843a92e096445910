"""Statistics of proportions: confidence intervals, significance, sample sizes."""

import math
from typing import NamedTuple

# Quantiles of the normal distribution: for a 95% interval, and a power of 80%.
Z_95 = 1.959964
Z_POWER_80 = 0.841621
# The significance level.
SIGNIFICANT = 0.05
# Above this, the normal approximation is as good as the exact binomial test.
EXACT_UP_TO = 1000


class Interval(NamedTuple):
    low: float
    high: float


def wilson(part: int, whole: int) -> Interval:
    """Wilson's 95% confidence interval of the proportion `part` of `whole`."""
    if not whole:
        return Interval(0.0, 1.0)
    share, square = part / whole, Z_95**2
    middle = share + square / (2 * whole)
    reach = Z_95 * math.sqrt(share * (1 - share) / whole + square / (4 * whole**2))
    scale = 1 + square / whole
    low, high = (middle - reach) / scale, (middle + reach) / scale
    return Interval(max(low, 0.0) if part else 0.0, 1.0 if part == whole else min(high, 1.0))


def chance_of_difference(only_first: int, only_second: int) -> float:
    """The p-value of McNemar's exact test, two-sided, given how many photos only the first, or only
    the second, had right."""
    differing = only_first + only_second
    if not differing:
        return 1.0
    fewer = min(only_first, only_second)
    if differing > EXACT_UP_TO:
        distance = (abs(only_first - only_second) - 1) / math.sqrt(differing)
        return math.erfc(max(distance, 0.0) / math.sqrt(2))
    tail: int = sum(math.comb(differing, count) for count in range(fewer + 1))
    return float(min(1.0, 2 * tail / 2**differing))


def photos_needed(difference: float, differing: float) -> int:
    """How many photos two runs must share to detect a difference with a power of 80%.

    `difference` is that of their accuracies; `differing` is the share of photos that only one of
    them has right, at least `difference`.
    """
    differing = max(differing, difference)
    reach = Z_95 * math.sqrt(differing) + Z_POWER_80 * math.sqrt(differing - difference**2)
    return math.ceil((reach / difference) ** 2)
