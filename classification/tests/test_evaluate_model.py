"""The evaluation command, on a folder with photos that scikit-learn ships."""

import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import sklearn.datasets
from django.core.management import CommandError, call_command

from classification.evaluation import Judged, report

IMAGES = Path(sklearn.datasets.__file__).parent / "images"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sight in its place, and the same sight where food belongs."""
    for category in ("travel_scenery", "foods"):
        (tmp_path / category).mkdir()
        shutil.copy(IMAGES / "china.jpg", tmp_path / category / "china.jpg")
    return tmp_path


def evaluate(folder: Path, **options: Any) -> str:
    out = StringIO()
    call_command("evaluate_model", folder, stdout=out, **options)
    return out.getvalue()


def test_it_counts_what_was_right_and_names_what_was_not(folder: Path) -> None:
    figures = json.loads(evaluate(folder, json=True))

    assert (figures["photos"], figures["right"], figures["accuracy"]) == (2, 1, 0.5)
    assert figures["categories"]["travel_scenery"] == {"photos": 1, "precision": 0.5, "recall": 1.0}
    assert figures["categories"]["foods"] == {"photos": 1, "precision": None, "recall": 0.0}
    assert figures["confusion"]["foods"] == {"travel_scenery": 1}
    assert [miss["expected"] for miss in figures["misses"]] == ["foods"]
    assert figures["median_ms"] > 0


def test_the_table_shows_the_same_to_a_person(folder: Path) -> None:
    table = evaluate(folder)

    assert "1 of 2 right: 50.0%" in table
    assert "travel_scenery" in table
    assert "median" in table


def test_confidence_is_compared_with_how_often_it_was_right() -> None:
    sure = [Judged("a", "pets", "pets", 0.9, 1.0)] * 3 + [Judged("b", "pets", "other", 0.9, 1.0)]
    certain = Judged("c", "foods", "foods", 1.0, 1.0)
    (group,) = report([*sure, certain])["calibration"]

    assert (group["photos"], group["mean_confidence"], group["accuracy"]) == (5, 0.92, 0.8)


def test_a_folder_without_photos_or_with_a_broken_one_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no photos"):
        evaluate(tmp_path)
    with pytest.raises(CommandError, match="There is no folder"):
        evaluate(tmp_path / "nowhere")
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "broken.jpg").write_bytes(b"no photo")
    with pytest.raises(CommandError, match=r"broken\.jpg"):
        evaluate(tmp_path)
