"""Computes the figures of a run from its results."""

import statistics
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from classification.billing.reservations import KILLED
from classification.categories import BY_KEY
from classification.choices import OK
from quality.evaluation.statistics import wilson
from quality.models import EvaluatedPhoto, EvaluationRun

# The edges of the confidence bins for calibration.
CONFIDENCE_EDGES = (0.0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)
# Outcomes that say nothing about the model: invalid files, and calls cut off by a kill.
NOT_ASKED = {
    "invalid_image",
    "unsupported_format",
    "image_dimensions",
    "image_too_large",
    KILLED,
}
NO_ANSWER = "no_answer"

Figures = dict[str, Any]


def read_report(run: EvaluationRun) -> Figures:
    """A run's parameters and figures, ready for JSON."""
    return _parameters(run) | figures(list(run.results.order_by("file", "pk")))


def _parameters(run: EvaluationRun) -> Figures:
    """The parameters of a run."""
    return {
        "run": run.pk,
        "set": run.set_name,
        "set_hash": run.set_hash,
        "set_photos": run.photo_count,
        "provider": run.provider,
        "model": run.model,
        "snapshot": run.snapshot,
        "prompt_version": run.prompt_version,
        "prompt_hash": run.prompt_hash,
        "max_side": run.max_side,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
    }


def judged(results: Sequence[EvaluatedPhoto]) -> list[EvaluatedPhoto]:
    """The results that count: the model answered, or failed itself."""
    return [one for one in results if one.outcome not in NOT_ASKED]


def figures(results: Sequence[EvaluatedPhoto]) -> Figures:
    """All figures, ready for JSON; shares are from 0 to 1, None if undefined.

    A photo without an answer counts as wrong. `confusion` maps true categories to counts of
    answered categories; money is in yuan.
    """
    asked = judged(results)
    right = sum(one.is_right for one in asked)
    interval = wilson(right, len(asked))
    return {
        "photos": len(asked),
        "right": right,
        "accuracy": _share(right, len(asked)),
        "interval": [round(interval.low, 4), round(interval.high, 4)],
        "categories": {key: _category(key, asked) for key in BY_KEY},
        "confusion": {
            key: dict(Counter(one.category or NO_ANSWER for one in asked if one.expected == key))
            for key in BY_KEY
        },
        **_calibration(asked),
        **_effort(asked),
        "failures": dict(Counter(one.outcome for one in results if one.outcome != OK)),
        "misses": [
            {
                "file": one.file,
                "expected": one.expected,
                "category": one.category or NO_ANSWER,
                "confidence": one.confidence,
            }
            for one in asked
            if not one.is_right
        ],
    }


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _category(key: str, asked: list[EvaluatedPhoto]) -> Figures:
    right = sum(one.is_right for one in asked if one.expected == key)
    photos = sum(one.expected == key for one in asked)
    answers = sum(one.category == key for one in asked)
    return {"photos": photos, "precision": _share(right, answers), "recall": _share(right, photos)}


def _calibration(asked: list[EvaluatedPhoto]) -> Figures:
    """The calibration: mean confidence and accuracy by bin, and the expected calibration error."""
    bins, apart, answers = [], 0.0, 0
    for low, high in pairwise(CONFIDENCE_EDGES):
        group = [
            (one.confidence, one.is_right)
            for one in asked
            if one.confidence is not None
            and (low <= one.confidence < high or one.confidence == high == 1)
        ]
        if not group:
            continue
        mean = statistics.mean(confidence for confidence, _ in group)
        right = sum(is_right for _, is_right in group)
        interval = wilson(right, len(group))
        apart += abs(mean * len(group) - right)
        answers += len(group)
        bins.append(
            {
                "from": low,
                "to": high,
                "photos": len(group),
                "right": right,
                "mean_confidence": round(mean, 4),
                "accuracy": _share(right, len(group)),
                "interval": [round(interval.low, 4), round(interval.high, 4)],
            }
        )
    return {"calibration": bins, "calibration_error": _share(apart, answers)}


def _effort(asked: list[EvaluatedPhoto]) -> Figures:
    """Milliseconds, tokens and yuan, over the photos that have them."""
    times = sorted(one.milliseconds for one in asked if one.outcome == OK)
    tokens = [
        (one.input_tokens, one.output_tokens)
        for one in asked
        if one.input_tokens is not None and one.output_tokens is not None
    ]
    cost = sum((one.cost for one in asked), Decimal(0))
    return {
        "median_ms": round(statistics.median(times), 1) if times else None,
        "p95_ms": round(times[max(-(-len(times) * 95 // 100) - 1, 0)], 1) if times else None,
        "max_ms": round(times[-1], 1) if times else None,
        "input_tokens": _share(sum(taken for taken, _ in tokens), len(tokens)),
        "output_tokens": _share(sum(given for _, given in tokens), len(tokens)),
        "cost": float(cost),
        "cost_per_photo": round(float(cost) / len(asked), 6) if asked else None,
    }
