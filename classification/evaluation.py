"""How good answers are: figures about photos whose category is known."""

import statistics
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from classification.categories import BY_KEY

# The edges of the groups of confidence in which answers are compared with how often they are right.
CONFIDENCE_EDGES = (0.0, 0.5, 0.7, 0.85, 1.0)


@dataclass(frozen=True, slots=True)
class Judged:
    """One photo's true category (`expected`) and the model's answer, with its milliseconds."""

    file: str
    expected: str
    category: str
    confidence: float
    milliseconds: float

    @property
    def is_right(self) -> bool:
        return self.expected == self.category


def report(judged: list[Judged]) -> dict[str, Any]:
    """All figures, ready for JSON; shares are from 0 to 1, null where nothing can be divided.

    `confusion` maps a true category to how often each category was answered. At least one photo
    is needed.
    """
    return {
        "photos": len(judged),
        "right": sum(one.is_right for one in judged),
        "accuracy": _share(sum(one.is_right for one in judged), len(judged)),
        "categories": {key: _category(key, judged) for key in BY_KEY},
        "confusion": {
            key: dict(Counter(one.category for one in judged if one.expected == key))
            for key in BY_KEY
        },
        "calibration": _calibration(judged),
        "median_ms": round(statistics.median(one.milliseconds for one in judged), 1),
        "max_ms": round(max(one.milliseconds for one in judged), 1),
        "misses": [
            {
                "file": one.file,
                "expected": one.expected,
                "category": one.category,
                "confidence": one.confidence,
            }
            for one in judged
            if not one.is_right
        ],
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _category(key: str, judged: list[Judged]) -> dict[str, Any]:
    right = sum(one.is_right for one in judged if one.expected == key)
    photos = sum(one.expected == key for one in judged)
    answers = sum(one.category == key for one in judged)
    return {"photos": photos, "precision": _share(right, answers), "recall": _share(right, photos)}


def _calibration(judged: list[Judged]) -> list[dict[str, Any]]:
    groups = []
    for low, high in pairwise(CONFIDENCE_EDGES):
        group = [
            one for one in judged if low <= one.confidence < high or one.confidence == high == 1
        ]
        if group:
            groups.append(
                {
                    "from": low,
                    "to": high,
                    "photos": len(group),
                    "mean_confidence": round(statistics.mean(one.confidence for one in group), 4),
                    "accuracy": _share(sum(one.is_right for one in group), len(group)),
                }
            )
    return groups


def table(figures: dict[str, Any]) -> str:
    """The same figures for a person at a terminal."""
    lines = [
        f"{figures['right']} of {figures['photos']} right: {figures['accuracy']:.1%}",
        f"time a photo: median {figures['median_ms']} ms, longest {figures['max_ms']} ms",
        "",
        f"{'category':<18}{'photos':>7}{'precision':>11}{'recall':>8}  answered as",
    ]
    for key, row in figures["categories"].items():
        answers = sorted(figures["confusion"][key].items(), key=lambda item: -item[1])
        lines.append(
            f"{key:<18}{row['photos']:>7}{_percent(row['precision']):>11}"
            f"{_percent(row['recall']):>8}  "
            + ", ".join(f"{category} {count}" for category, count in answers)
        )
    lines += ["", f"{'confidence':<18}{'photos':>7}{'mean':>11}{'right':>8}"]
    for row in figures["calibration"]:
        edges = f"{row['from']:.2f} to {row['to']:.2f}"
        lines.append(
            f"{edges:<18}{row['photos']:>7}"
            f"{_percent(row['mean_confidence']):>11}{_percent(row['accuracy']):>8}"
        )
    lines += [""] + [
        f"{one['file']}: {one['category']} ({one['confidence']:.2f})" for one in figures["misses"]
    ]
    return "\n".join(lines).rstrip()


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
