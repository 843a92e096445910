"""The on-device model on real images, as the configured provider and as a stand-in."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from PIL import Image, ImageDraw
from pytest_django import Settings

from classification import images
from classification.categories import BY_KEY
from classification.models import CacheEntry, ModelCall, RequestLog
from classification.pipeline import answer_cache
from classification.pipeline.write_behind import buffer
from classification.providers import registry
from classification.providers.on_device import labels, networks
from classification.providers.on_device.networks import Face
from classification.providers.on_device.rules import Findings, decide
from tests.support.api import upload
from tests.support.dashscope_failures import FAILURES
from tests.support.dashscope_server import DashScopeServer
from tests.support.pictures import photo

# Found without importing the package, which takes each process that collects tests a second.
_SKLEARN = distribution("scikit-learn")
CHINA = Path(str(_SKLEARN.locate_file("sklearn/datasets/images/china.jpg")))


def screen() -> bytes:
    """A page of an app as a phone captures it."""
    image = Image.new("RGB", (390, 844), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 390, 90), fill="#1677ff")
    for row in range(10):
        draw.rectangle((16, 110 + row * 72, 72, 166 + row * 72), fill="#dddddd")
        draw.text((90, 116 + row * 72), f"Message {row}: see you at the station", fill="black")
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def classify(data: bytes) -> Any:
    prepared = images.prepare(data, allowed_formats=["jpg", "png"], max_side=1024)
    return registry.on_device().classify(prepared, "")


def findings(**changes: Any) -> Findings:
    told = ("pets", "foods", "travel_scenery", "single_person", "screenshot", "paper")
    defaults: dict[str, Any] = {
        "faces": [],
        "ground": 0.1,
        "corners_ground": 0.3,
        "shape": 1.5,
        "format": "JPEG",
        "has_camera_data": False,
    }
    masses = dict.fromkeys(told, 0.0) | changes.pop("masses", {})
    return Findings(**(defaults | changes), masses=masses)


def face(height: float, middle: float = 0.5) -> Face:
    return Face(middle - height / 3, 0.3, middle + height / 3, 0.3 + height, 0.9)


def test_a_sight_is_scenery() -> None:
    answer = classify(CHINA.read_bytes())

    assert answer.classification.category == "travel_scenery"
    assert answer.classification.description == "宫殿"
    assert answer.calls == ()
    assert answer.model.startswith("local/")
    json.dumps(answer.raw)


def test_a_phones_screen_is_a_screenshot() -> None:
    assert classify(screen()).classification.category == "screenshot"


@pytest.mark.parametrize(
    ("seen", "category"),
    [
        ({}, "other"),
        ({"faces": [face(0.2)]}, "single_person"),
        ({"faces": [face(0.2), face(0.15, 0.2)]}, "social_activities"),
        ({"faces": [face(0.03)]}, "other"),
        ({"faces": [face(0.05, place) for place in (0.2, 0.5, 0.8)]}, "social_activities"),
        ({"faces": [face(0.45)], "shape": 0.75, "corners_ground": 0.99}, "idcard"),
        ({"faces": [face(0.45)], "shape": 0.75, "corners_ground": 0.4}, "single_person"),
        ({"faces": [face(0.35, 0.2)], "shape": 1.58, "masses": {"paper": 0.6}}, "idcard"),
        ({"faces": [face(0.35, 0.2)], "shape": 1.58}, "single_person"),
        ({"shape": 0.46, "format": "PNG"}, "screenshot"),
        ({"shape": 0.46, "ground": 0.8}, "screenshot"),
        ({"shape": 0.46, "ground": 0.8, "has_camera_data": True}, "other"),
        ({"masses": {"screenshot": 0.8}}, "screenshot"),
        ({"masses": {"foods": 0.7}}, "foods"),
        ({"masses": {"pets": 0.95}, "faces": [face(0.2)]}, "pets"),
        ({"masses": {"pets": 0.5}, "faces": [face(0.2)]}, "single_person"),
        ({"masses": {"travel_scenery": 0.2}}, "other"),
    ],
)
def test_the_rules_decide_what_labels_alone_cannot(seen: dict[str, Any], category: str) -> None:
    assert decide(findings(**seen)).category == category


def test_every_label_in_the_table_exists_and_speaks_for_one_category() -> None:
    listed = [n for key in BY_KEY for n in labels.numbers_by_category().get(key, ())]

    assert len(listed) == len(set(listed))
    assert set(labels.numbers_by_category()) <= {*BY_KEY, "paper"}


def test_many_threads_share_the_networks() -> None:
    data = CHINA.read_bytes()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(classify, [data] * 16))

    assert len({answer.classification for answer in answers}) == 1


@pytest.mark.django_db
def test_as_the_provider_its_answers_are_kept_and_free(client: Client, settings: Settings) -> None:
    settings.LLM_PROVIDER = "local"
    first, second = (upload(client, CHINA.read_bytes()).json() for _ in range(2))
    entry = CacheEntry.objects.get()

    assert (first["source"], first["from_cache"], first["data"]["category"]) == (
        "local",
        False,
        "travel_scenery",
    )
    assert "degraded" not in first
    assert (second["source"], second["from_cache"]) == ("cache", True)
    assert (entry.provider, float(entry.cost)) == ("local", 0.0)
    assert entry.prompt_version is None
    assert not ModelCall.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "mode", [mode for mode, (code, *_) in FAILURES.items() if code != "image_rejected"]
)
def test_it_stands_in_for_a_model_that_fails_in_any_way_and_is_not_kept(
    client: Client, model: DashScopeServer, settings: Settings, mode: str
) -> None:
    settings.ON_MODEL_FAILURE = "local"
    settings.LLM_TIMEOUT = 1
    model.script(mode)
    data = CHINA.read_bytes()
    started = time.monotonic()
    body = upload(client, data).json()
    seconds = time.monotonic() - started
    buffer.flush()
    row = RequestLog.objects.get()

    assert seconds < settings.LLM_TIMEOUT + 30  # one, but on a busy machine; not minutes
    assert (body["source"], body["degraded"], body["from_cache"]) == ("local", True, False)
    assert body["data"]["category"] == "travel_scenery"
    assert answer_cache.get(images.digest(data)) is None
    assert (row.source, row.category) == ("local", "travel_scenery")
    assert row.outcome != "ok"
    assert {call.outcome for call in ModelCall.objects.all()} <= {row.outcome, "model_unavailable"}


@pytest.mark.django_db
def test_a_refused_photo_stays_refused(
    client: Client, model: DashScopeServer, settings: Settings
) -> None:
    settings.ON_MODEL_FAILURE = "local"
    model.script("DataInspectionFailed")

    assert upload(client, photo()).json()["error_code"] == "image_rejected"


@pytest.mark.django_db
def test_an_on_device_model_that_fails_leaves_the_first_failure_standing(
    client: Client, model: DashScopeServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ON_MODEL_FAILURE = "local"
    monkeypatch.setattr(networks, "WEIGHTS", Path("/nonexistent"))
    networks._session.cache_clear()
    model.script("no_verdict")
    body = upload(client, photo()).json()
    networks._session.cache_clear()

    assert body["error_code"] == "model_bad_reply"


def test_nobody_is_told_that_it_runs(tmp_path: Path) -> None:
    """ONNX Runtime keeps what it reports about a machine in a file until it is sent."""
    code = (
        "from classification.providers.on_device import networks; networks._session('centerface')"
    )
    environment = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)  # set in this process already
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)

    assert list(tmp_path.rglob("*")) == []
