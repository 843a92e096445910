"""Compares two runs: which photos they differ on, and whether the difference is significant."""

from dataclasses import dataclass
from typing import Any

from quality.evaluation.report import judged
from quality.evaluation.statistics import SIGNIFICANT, chance_of_difference, photos_needed
from quality.models import EvaluatedPhoto, EvaluationRun

Pair = tuple[EvaluatedPhoto, EvaluatedPhoto]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The photos that two runs have in common, with both results."""

    first: EvaluationRun
    second: EvaluationRun
    pairs: list[Pair]

    @property
    def first_right(self) -> int:
        return sum(first.is_right for first, _ in self.pairs)

    @property
    def second_right(self) -> int:
        return sum(second.is_right for _, second in self.pairs)

    @property
    def lost(self) -> list[Pair]:
        """Photos that only the first run had right."""
        return [pair for pair in self.pairs if pair[0].is_right and not pair[1].is_right]

    @property
    def won(self) -> list[Pair]:
        """Photos that only the second run had right."""
        return [pair for pair in self.pairs if pair[1].is_right and not pair[0].is_right]

    @property
    def differing(self) -> list[Pair]:
        """Photos with different answers, right or wrong."""
        return [pair for pair in self.pairs if pair[0].category != pair[1].category]

    @property
    def difference(self) -> float:
        """The accuracy of the second run minus that of the first."""
        if not self.pairs:
            return 0.0
        return (len(self.won) - len(self.lost)) / len(self.pairs)

    @property
    def chance(self) -> float:
        """The p-value of the difference."""
        return chance_of_difference(len(self.lost), len(self.won))

    @property
    def is_real(self) -> bool:
        return self.chance < SIGNIFICANT

    @property
    def is_worse(self) -> bool:
        """Whether the second run is significantly worse."""
        return self.difference < 0 and self.is_real

    @property
    def figures(self) -> dict[str, Any]:
        """The comparison as a dict, ready for JSON."""
        return {
            "runs": [self.first.pk, self.second.pk],
            "photos": len(self.pairs),
            "right": [self.first_right, self.second_right],
            "lost": len(self.lost),
            "won": len(self.won),
            "difference": round(self.difference, 4),
            "chance": round(self.chance, 4),
            "is_real": self.is_real,
            "differing": [
                {"file": second.file, "expected": second.expected, "first": first.category,
                 "second": second.category}
                for first, second in self.differing
            ],
        }  # fmt: skip

    @property
    def photos_for_two_points(self) -> int | None:
        """How many photos are needed to detect a difference of two points, given how often these
        runs differ."""
        changed = len(self.lost) + len(self.won)
        return photos_needed(0.02, changed / len(self.pairs)) if self.pairs else None


def compare(first: EvaluationRun, second: EvaluationRun) -> Comparison:
    """Compare two runs on the photos both have with the same label."""
    of_first = {(one.image_hash, one.expected): one for one in judged(list(first.results.all()))}
    pairs = [
        (of_first[one.image_hash, one.expected], one)
        for one in judged(list(second.results.order_by("file", "pk")))
        if (one.image_hash, one.expected) in of_first
    ]
    return Comparison(first, second, pairs)
