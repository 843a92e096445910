"""The geometry of the quality pages' charts, which are rendered as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from quality.evaluation.summaries import Summary

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 36, 14, 40
# The number of shades in a confusion matrix.
SHADES = 9


class Tick(NamedTuple):
    """A grid line at `at` pixels, and its value."""

    at: float
    value: float


class Mark(NamedTuple):
    """A point with its interval from `low` to `high`, in pixels; `shown` is the object it
    represents."""

    x: float
    y: float
    low: float
    high: float
    shown: Any


@dataclass(frozen=True, slots=True)
class Chart:
    """Points on two axes with round limits."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    marks: list[Mark]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM

    @property
    def middle(self) -> int:
        return (self.left + self.right) // 2

    @property
    def x_ticks(self) -> list[Tick]:
        return [Tick(_x(value, self.x_range), value) for value in _steps(*self.x_range)]

    @property
    def y_ticks(self) -> list[Tick]:
        return [Tick(_y(value, self.y_range), value) for value in _steps(*self.y_range)]


def cost_chart(summaries: Sequence[Summary]) -> Chart | None:
    """Accuracy over cost per photo; None without a finished run."""
    shown = [one for one in summaries if one.photos and one.run.finished_at]
    if not shown:
        return None
    most = max(float(one.cost_per_photo or 0) for one in shown)
    lowest = min(one.interval.low for one in shown)
    x_range = (0.0, _round_up(most) if most else 0.01)
    y_range = (math.floor(lowest * 10) / 10, 1.0)
    marks = [
        Mark(
            _x(float(one.cost_per_photo or 0), x_range),
            _y(one.accuracy or 0, y_range),
            _y(one.interval.low, y_range),
            _y(one.interval.high, y_range),
            one,
        )
        for one in shown
    ]
    return Chart(x_range, y_range, marks)


def reliability_chart(bins: Sequence[dict[str, Any]]) -> Chart | None:
    """Accuracy over confidence; None without answers."""
    if not bins:
        return None
    whole = (0.0, 1.0)
    marks = [
        Mark(
            _x(one["mean_confidence"], whole),
            _y(one["accuracy"], whole),
            _y(one["interval"][0], whole),
            _y(one["interval"][1], whole),
            one,
        )
        for one in bins
    ]
    return Chart(whole, whole, marks)


def shade(count: int, photos: int) -> int:
    """The shade of a cell of the confusion matrix, from 0 (none) to SHADES (all)."""
    return math.ceil(SHADES * count / photos) if count and photos else 0


def _x(value: float, ends: tuple[float, float]) -> float:
    share = (value - ends[0]) / (ends[1] - ends[0])
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, ends: tuple[float, float]) -> float:
    share = (value - ends[0]) / (ends[1] - ends[0])
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _round_up(value: float) -> float:
    """The next higher round value: 1, 2, 5 or 10 times a power of ten."""
    size = 10 ** math.floor(math.log10(value))
    return float(next(size * step for step in (1, 2, 5, 10) if size * step >= value * 1.05))


def _steps(low: float, high: float) -> list[float]:
    """Evenly spaced values from low to high."""
    return [low + (high - low) * part / 5 for part in range(6)]
