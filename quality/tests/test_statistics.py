"""What is said of shares and differences, against values of textbooks."""

import pytest

from quality.evaluation.statistics import chance_of_difference, photos_needed, wilson


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (8, 12, 0.3906, 0.8619),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 29, 0.0061, 0.1718),  # Newcombe 1998
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval(part: int, whole: int, low: float, high: float) -> None:
    assert wilson(part, whole) == pytest.approx((low, high), abs=0.00005)


@pytest.mark.parametrize(
    ("only_first", "only_second", "chance"),
    [
        (0, 0, 1.0),
        (3, 3, 1.0),
        (1, 8, 20 / 512),  # (1 + 9) / 2^9, and as much on the other side
        (8, 1, 20 / 512),
        (0, 5, 2 / 32),
        (600, 700, 0.006045),  # beyond the exact test
    ],
)
def test_mcnemars_test(only_first: int, only_second: int, chance: float) -> None:
    assert chance_of_difference(only_first, only_second) == pytest.approx(chance, rel=0.01)


def test_how_many_photos_a_difference_wants() -> None:
    assert photos_needed(0.02, 0.06) == 1175
    assert photos_needed(0.02, 0.10) == 1960
    assert photos_needed(0.05, 0.10) == 312
    # No fewer photos can differ than the difference says.
    assert photos_needed(0.10, 0.02) == photos_needed(0.10, 0.10)
