"""manage.py evaluate on a model that answers by picture: every number is worked out by hand."""

import threading
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from classification.models import CacheEntry, ModelCall, PromptVersion, RequestLog, SpendingDay
from quality.models import EvaluatedPhoto, EvaluationRun
from stats.models import Day
from tests.support.dashscope_server import DashScopeServer
from tests.support.evaluation import evaluate
from tests.support.labelled_photos import LabelledPhotos
from tests.support.openai_server import OpenAIServer
from tests.support.prices import answer_cost
from tests.support.waiting import wait_until

# Photos are asked about on threads, which see what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

ANSWERS = [
    ("pets/0.png", "pets", 0.95),
    ("pets/1.png", "pets", 0.95),
    ("pets/2.png", "pets", 0.6),
    ("pets/3.png", "foods", 0.9),
    ("foods/0.png", "foods", 0.95),
    ("foods/1.png", "foods", 0.75),
    ("foods/2.png", "other", 0.75),
    ("foods/3.png", "burgers", 0.95),  # no category: no usable answer, but a paid one
    ("travel_scenery/0.png", "travel_scenery", 0.95),
    ("travel_scenery/1.png", "pets", 0.95),
    ("other/0.png", "other", 0.6),
    ("other/1.png", "other", 0.95),
]


@pytest.fixture
def twelve(photos: LabelledPhotos, model: DashScopeServer) -> LabelledPhotos:
    for answer in ANSWERS:
        photos.add(*answer)
    photos.taught(model)
    return photos


@pytest.fixture
def three(photos: LabelledPhotos, model: DashScopeServer) -> LabelledPhotos:
    for number in range(3):
        photos.add(f"pets/{number}.png", "pets")
    photos.taught(model)
    return photos


def table(photos: LabelledPhotos, *arguments: str) -> str:
    out = StringIO()
    call_command("evaluate", str(photos.folder), *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_every_figure_is_that_of_the_hand(twelve: LabelledPhotos, model: DashScopeServer) -> None:
    figures = evaluate(twelve)

    assert (figures["photos"], figures["right"], figures["accuracy"]) == (12, 8, 0.6667)
    assert figures["interval"] == [0.3906, 0.8619]  # Wilson's, of 8 in 12
    asked = {key: row for key, row in figures["categories"].items() if row["photos"]}
    assert asked == {
        "pets": {"photos": 4, "precision": 0.75, "recall": 0.75},
        "foods": {"photos": 4, "precision": 0.6667, "recall": 0.5},
        "travel_scenery": {"photos": 2, "precision": 1.0, "recall": 0.5},
        "other": {"photos": 2, "precision": 0.6667, "recall": 1.0},
    }
    assert {key: row for key, row in figures["confusion"].items() if row} == {
        "pets": {"pets": 3, "foods": 1},
        "foods": {"foods": 2, "other": 1, "no_answer": 1},
        "travel_scenery": {"travel_scenery": 1, "pets": 1},
        "other": {"other": 2},
    }
    names = ("from", "photos", "right", "mean_confidence", "accuracy")
    assert [tuple(row[name] for name in names) for row in figures["calibration"]] == [
        (0.5, 2, 2, 0.6, 1.0),
        (0.7, 2, 1, 0.75, 0.5),
        (0.9, 1, 0, 0.9, 0.0),
        (0.95, 6, 5, 0.95, 0.8333),
    ]
    assert figures["calibration_error"] == 0.2636  # (0.8 + 0.5 + 0.9 + 0.7) / 11
    assert (figures["input_tokens"], figures["output_tokens"]) == (800, 40)
    assert figures["cost_per_photo"] == float(answer_cost())
    assert figures["cost"] == float(12 * answer_cost())
    assert figures["failures"] == {"model_bad_reply": 1}
    assert {miss["file"]: miss["category"] for miss in figures["misses"]} == {
        "pets/3.png": "foods",
        "foods/2.png": "other",
        "foods/3.png": "no_answer",
        "travel_scenery/1.png": "pets",
    }
    assert figures["median_ms"] > 0


def test_a_run_is_in_the_ledger_and_nowhere_else(
    three: LabelledPhotos, model: DashScopeServer
) -> None:
    evaluate(three)

    assert len(model.requests) == ModelCall.objects.count() == 3
    assert EvaluatedPhoto.objects.count() == 3
    for elsewhere in (CacheEntry, RequestLog, Day):
        assert not elsewhere.objects.exists()


def test_a_run_is_kept_with_all_that_it_was_run_on(
    three: LabelledPhotos, model: DashScopeServer, tmp_path: Path
) -> None:
    draft = tmp_path / "draft.txt"
    draft.write_bytes("第一行\r\n第二行 JSON\r\n".encode())
    evaluate(three, "--model", "qwen3-vl-flash", "--prompt-file", str(draft), "--max-side", "64")

    run = EvaluationRun.objects.get()
    assert (run.provider, run.model, run.max_side) == ("aliyun", "qwen3-vl-flash", 64)
    assert (run.prompt_text, run.prompt_version) == ("第一行\n第二行 JSON", None)
    assert (run.set_name, run.photo_count) == ("photos", 3)
    assert run.finished_at
    assert {request.body["model"] for request in model.requests} == {"qwen3-vl-flash"}
    assert "第一行" in str(model.requests[0].body)


def test_a_published_version_is_measured_by_its_number(
    three: LabelledPhotos, model: DashScopeServer
) -> None:
    PromptVersion.objects.create(version=1, text="the older JSON")
    PromptVersion.objects.create(version=2, text="the newer JSON")
    evaluate(three, "--prompt-version", "1")

    assert "the older JSON" in str(model.requests[0].body)
    assert EvaluationRun.objects.get().prompt_version == 1


def test_the_vendors_snapshot_is_kept_as_the_replies_name_it(
    three: LabelledPhotos, settings: Settings
) -> None:
    with OpenAIServer() as server:
        three.taught(server)
        settings.LLM_PROVIDER, settings.LLM_BASE_URL = "openai", server.base_url
        settings.LLM_MODEL = "a-vision-model"
        figures = evaluate(three)

    assert (figures["model"], figures["snapshot"]) == ("a-vision-model", "a-vision-model-0101")


def test_photos_are_asked_about_side_by_side(three: LabelledPhotos, model: DashScopeServer) -> None:
    def release_all() -> None:
        wait_until(lambda: model.in_flight == 3)
        model.released.set()

    model.script("hold")
    threading.Thread(target=release_all).start()
    evaluate(three)

    assert model.peak_in_flight == 3


def test_a_second_run_asks_again_and_is_compared(
    twelve: LabelledPhotos, model: DashScopeServer
) -> None:
    first = evaluate(twelve)
    twelve.answers["pets/3.png"]["category"] = "pets"
    twelve.answers["foods/2.png"]["category"] = "foods"
    twelve.answers["other/1.png"]["category"] = "pets"
    compared = evaluate(twelve, "--compare", str(first["run"]))["comparison"]

    assert (compared["photos"], compared["right"]) == (12, [8, 9])
    assert (compared["won"], compared["lost"]) == (2, 1)
    assert compared["difference"] == 0.0833
    assert compared["chance"] == 1.0  # 2 of 3 or more, or the other way round
    assert not compared["is_real"]
    assert {one["file"] for one in compared["differing"]} == {
        "pets/3.png",
        "foods/2.png",
        "other/1.png",
    }
    assert "2 became right and 1 wrong" in table(twelve, "--compare", str(first["run"]))


def test_no_more_is_spent_than_allowed_and_the_rest_is_taken_up(
    three: LabelledPhotos, model: DashScopeServer, settings: Settings
) -> None:
    settings.LLM_MODEL = "a-model-of-unknown-price"  # a fen a call
    with pytest.raises(CommandError, match="2 photos are still open"):
        evaluate(three, "--max-cost", "0.015")
    assert len(model.requests) == 1

    assert evaluate(three)["photos"] == 3
    assert sorted(three.asked(model)) == ["pets/0.png", "pets/1.png", "pets/2.png"]


def test_a_forecast_above_the_limit_asks_nothing(
    three: LabelledPhotos, model: DashScopeServer
) -> None:
    evaluate(three)
    with pytest.raises(CommandError, match="nothing was asked"):
        evaluate(three, "--max-cost", str(answer_cost()))
    assert len(model.requests) == 3

    assert f"about {3 * answer_cost()} yuan" in table(three)


def test_the_daily_limit_holds_whoever_answers_uploads(
    three: LabelledPhotos, model: DashScopeServer, settings: Settings
) -> None:
    settings.LLM_PROVIDER, settings.DAILY_COST_LIMIT = "local", Decimal("0.015")
    settings.LLM_MODEL = "a-model-of-unknown-price"
    with pytest.raises(CommandError, match="still open"):
        evaluate(three, "--provider", "aliyun")

    assert len(model.requests) == 1
    assert SpendingDay.objects.get().spent == 10_000


def test_a_key_that_is_refused_ends_the_run_at_once(
    photos: LabelledPhotos, model: DashScopeServer, settings: Settings
) -> None:
    settings.LLM_MAX_CONCURRENCY = 1
    for number in range(9):
        photos.add(f"pets/{number}.png", "pets")
    model.script("InvalidApiKey")
    with pytest.raises(CommandError, match="9 photos are still open"):
        evaluate(photos)

    assert len(model.requests) == 1


def test_what_is_no_photo_is_named_and_does_not_count(
    three: LabelledPhotos, model: DashScopeServer
) -> None:
    (three.folder / "pets" / "broken.jpg").write_bytes(b"no photo")
    figures = evaluate(three)

    assert figures["failures"] == {"invalid_image": 1}
    assert (figures["photos"], figures["set_photos"], figures["accuracy"]) == (3, 4, 1.0)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, "has no photos"),
        ({"pets/a.jpg": b"x", "foods/b.jpg": b"x"}, "pets/a.jpg and foods/b.jpg are one photo"),
    ],
)
def test_a_folder_that_cannot_be_measured_on_is_refused(
    tmp_path: Path, files: dict[str, bytes], complaint: str
) -> None:
    for name, data in files.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(data)
    with pytest.raises(CommandError, match=complaint):
        call_command("evaluate", str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--provider", "openai"), "not configured"),
        (("--prompt-version", "7"), "no version 7"),
        (("--compare", "7"), "no run 7"),
        (("--max-cost", "-1"), "not an amount"),
    ],
)
def test_what_is_not_there_is_said(three: LabelledPhotos, arguments: Any, complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        evaluate(three, *arguments)
    assert not EvaluationRun.objects.exists()


def test_the_on_device_model_is_a_case_of_it(photos: LabelledPhotos, settings: Settings) -> None:
    settings.LLM_PROVIDER = "local"
    photos.add("other/0.png", "")
    figures = evaluate(photos)

    assert (figures["provider"], figures["photos"], figures["cost"]) == ("local", 1, 0)
    assert not ModelCall.objects.exists()
