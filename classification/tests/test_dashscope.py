"""The provider with the real SDK, against a server on loopback that fails in every known way."""

import base64
import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from classification.images import Photo
from classification.model_output import Classification
from classification.providers import registry
from classification.providers.base import ProviderError
from classification.providers.dashscope.provider import SEED, DashScopeProvider
from classification.providers.model_table.reading import read_table
from classification.providers.slots import Slots
from core.sharing import cpu_gate
from tests.support.dashscope_failures import FAILURES
from tests.support.dashscope_server import GENERATION, DashScopeServer
from tests.support.remote_providers import KEY, PROMPT, TIMEOUT, failure, make_provider, prepared


@pytest.fixture
def server() -> Iterator[DashScopeServer]:
    with DashScopeServer() as server:
        yield server


@pytest.fixture(scope="module")
def photo() -> Photo:
    return prepared()


def provider(server: DashScopeServer, **arguments: Any) -> DashScopeProvider:
    defaults = {"models": ["qwen-vl-plus"], "api_key": f"{KEY}\n"}
    return make_provider(DashScopeProvider, server.base_url, defaults | arguments)


def test_exactly_the_documented_request_goes_out(server: DashScopeServer, photo: Photo) -> None:
    answer = provider(server).classify(photo, PROMPT)
    (request,) = server.requests

    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.path == GENERATION
    assert request.body == {
        "model": "qwen-vl-plus",
        "parameters": {
            "temperature": 0,
            "seed": SEED,
            "max_tokens": 500,
            "response_format": {"type": "json_object"},
        },
        "input": {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"text": f"{PROMPT}\n"},
                        {
                            "image": "data:image/jpeg;base64,"
                            + base64.b64encode(photo.jpeg).decode()
                        },
                    ],
                }
            ]
        },
    }
    assert answer.classification == Classification("pets", 0.95, "一只猫")
    assert answer.model == "qwen-vl-plus"
    (call,) = answer.calls
    assert (call.outcome, call.billed) == ("ok", "yes")
    assert (call.input_tokens, call.output_tokens) == (800, 40)
    assert call.provider_request_id == "provider-request-1"


def test_a_model_that_thinks_is_told_not_to(server: DashScopeServer, photo: Photo) -> None:
    provider(server, models=["qwen3.5-flash"], table=read_table()).classify(photo, PROMPT)

    assert server.requests[0].body["parameters"]["enable_thinking"] is False


def test_json_mode_needs_the_word_in_the_prompt(server: DashScopeServer, photo: Photo) -> None:
    provider(server).classify(photo, "看图。")

    assert "response_format" not in server.requests[0].body["parameters"]


@pytest.mark.parametrize("mode", ["ok", "ok_string", "prose", "fenced"])
def test_every_form_of_a_verdict_is_read(server: DashScopeServer, photo: Photo, mode: str) -> None:
    server.script(mode)

    assert provider(server).classify(photo, PROMPT).classification.category == "pets"


@pytest.mark.parametrize("name", ["response_format", "enable_thinking"])
def test_a_parameter_that_a_model_lacks_is_dropped_and_remembered(
    server: DashScopeServer, photo: Photo, name: str
) -> None:
    server.script(f"refuse {name}")
    asked = provider(server, models=["qwen3.5-flash"], table=read_table())
    first = asked.classify(photo, PROMPT)
    asked.classify(photo, PROMPT)

    assert [call.billed for call in first.calls] == ["no", "yes"]
    assert [name in request.body["parameters"] for request in server.requests] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("mode", FAILURES)
def test_every_failure_has_its_code_its_limit_of_calls_and_its_ledger_lines(
    server: DashScopeServer, photo: Photo, mode: str
) -> None:
    code, most_calls, billed = FAILURES[mode]
    server.script(mode)
    started = time.monotonic()
    error = failure(provider(server), photo)

    assert time.monotonic() - started < TIMEOUT + 20
    assert error.code == code
    assert 1 <= len(server.requests) <= most_calls
    assert most_calls == 1 or len(server.requests) > 1
    assert [call.billed for call in error.calls] == [billed] * len(server.requests)
    # What DAILY_COST_LIMIT builds on: nothing follows a call that may be billed.
    assert billed == "no" or len(server.requests) == 1


def test_a_server_that_is_not_there_is_unavailable_and_costs_nothing(photo: Photo) -> None:
    with DashScopeServer() as server:
        pass
    error = failure(provider(server), photo)

    assert error.code == "model_unavailable"
    assert {call.billed for call in error.calls} == {"no"}


def test_a_call_that_is_lost_on_a_kept_connection_is_perhaps_billed_and_not_repeated(
    server: DashScopeServer, photo: Photo
) -> None:
    server.script("ok", "close_before_answer", "ok")
    asked = provider(server)
    asked.classify(photo, PROMPT)
    error = failure(asked, photo)

    assert server.connections == 1
    assert len(server.requests) == 2
    assert [(call.outcome, call.billed) for call in error.calls] == [
        ("model_unavailable", "perhaps")
    ]


def test_a_passing_fault_is_tried_again(server: DashScopeServer, photo: Photo) -> None:
    server.script("InternalError", "ok")
    answer = provider(server).classify(photo, PROMPT)

    assert [(call.outcome, call.billed) for call in answer.calls] == [
        ("model_unavailable", "no"),
        ("ok", "yes"),
    ]


def test_a_retired_model_is_followed_by_the_next_and_left_out(
    server: DashScopeServer, photo: Photo, caplog: pytest.LogCaptureFixture
) -> None:
    server.script("ModelNotFound", "ok")
    asked = provider(server, models=["qwen-vl-plus", "qwen3-vl-plus"])
    answer = asked.classify(photo, PROMPT)
    asked.classify(photo, PROMPT)

    assert answer.model == "qwen3-vl-plus"
    assert [request.body["model"] for request in server.requests] == [
        "qwen-vl-plus",
        "qwen3-vl-plus",
        "qwen3-vl-plus",
    ]


def test_a_retired_model_tells_the_operator_in_plain_words(
    server: DashScopeServer, photo: Photo, caplog: pytest.LogCaptureFixture
) -> None:
    server.script("ModelNotFound")
    failure(provider(server), photo)

    assert "qwen-vl-plus is no longer served" in caplog.text
    assert "Set LLM_MODEL" in caplog.text


@pytest.mark.parametrize("mode", ["ok", "InvalidApiKey", "hang", "close_in_body", "not_json"])
def test_neither_key_nor_photo_reaches_the_log(
    server: DashScopeServer, photo: Photo, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    server.script(mode)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("dashscope").setLevel(logging.WARNING)
        with contextlib.suppress(ProviderError):
            provider(server, timeout=0.5).classify(photo, PROMPT)

    assert KEY not in caplog.text
    assert base64.b64encode(photo.jpeg).decode()[:40] not in caplog.text


@pytest.mark.parametrize("mode", ["hang", "drip_headers", "drip_body", "stall_in_body"])
def test_a_call_that_never_ends_frees_its_slot(
    server: DashScopeServer, photo: Photo, mode: str
) -> None:
    server.script(mode)
    slots = Slots(1)
    asked = provider(server, timeout=0.5, slots=slots)
    failure(asked, photo)
    failure(asked, photo)
    server.script("ok")

    answer = provider(server, timeout=10, slots=slots).classify(photo, PROMPT)
    assert answer.classification.category == "pets"


@pytest.mark.parametrize("mode", ["hang", "drip_headers", "drip_body", "stall_in_body"])
def test_a_call_that_waits_for_its_answer_holds_no_other_up(
    photo: Photo, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(cpu_gate, "PATIENCE_SECONDS", 60)
    with DashScopeServer() as server:
        server.script(mode, "ok")
        asked = provider(server, timeout=20)
        waiting = threading.Thread(target=failure, args=(asked, photo))
        waiting.start()
        while not server.requests:
            time.sleep(0.01)

        assert asked.classify(photo, PROMPT).classification.category == "pets"
        assert waiting.is_alive()
    waiting.join()


def test_a_full_pool_is_busy_soon(server: DashScopeServer, photo: Photo) -> None:
    server.script("hang")
    asked = provider(server, timeout=6, slots=Slots(1))
    holder = threading.Thread(target=failure, args=(asked, photo))
    holder.start()
    while not server.requests:
        time.sleep(0.01)
    started = time.monotonic()
    error = failure(asked, photo)
    waited = time.monotonic() - started
    holder.join()

    assert (error.code, bool(error.retry_after)) == ("model_busy", True)
    assert waited < 3
    assert len(server.requests) == 1


def test_as_many_calls_fly_at_once_as_allowed(server: DashScopeServer, photo: Photo) -> None:
    server.script("hold")
    asked = provider(server, slots=Slots(30), timeout=60)
    threads = [threading.Thread(target=asked.classify, args=(photo, PROMPT)) for _ in range(40)]
    for thread in threads[:30]:
        thread.start()
    while server.in_flight < 30:
        time.sleep(0.01)
    for thread in threads[30:]:
        thread.start()
    time.sleep(0.3)  # time for a call too many
    server.released.set()
    for thread in threads:
        thread.join()

    assert server.peak_in_flight == 30
    assert len(server.requests) == 40


def test_after_failures_in_a_row_no_calls_are_made(server: DashScopeServer, photo: Photo) -> None:
    server.script("hang")
    asked = provider(server, timeout=1)
    for _ in range(5):
        failure(asked, photo)
    assert asked.status.state == "failing"
    error = failure(asked, photo)

    assert (error.code, len(server.requests)) == ("model_timeout", 5)
    assert error.retry_after


@pytest.mark.parametrize(
    ("mode", "cause"),
    [
        ("InvalidApiKey", "key_refused"),
        ("Arrearage", "account_unpaid"),
        ("AllocationQuota.FreeTierOnly", "quota_used_up"),
        ("ModelNotFound", "model_retired"),
    ],
)
def test_what_only_an_operator_can_mend_stops_calls_at_once(
    server: DashScopeServer, photo: Photo, mode: str, cause: str
) -> None:
    server.script(mode)
    asked = provider(server)
    codes = [failure(asked, photo).code for _ in range(3)]

    assert codes == ["model_not_configured"] * 3
    assert len(server.requests) == 1
    pause = asked.status.pause
    assert pause
    assert pause.cause == cause
    assert pause.remaining > 20 > pause.lasted


def test_a_refused_photo_does_not_count_against_the_model(
    server: DashScopeServer, photo: Photo
) -> None:
    server.script("DataInspectionFailed")
    asked = provider(server)
    for _ in range(8):
        failure(asked, photo)

    assert asked.status.state == "available"
    assert len(server.requests) == 8


def test_the_first_photos_of_a_process_share_one_provider(model: DashScopeServer) -> None:
    start = threading.Barrier(16)

    def provider_of_thread(_: int) -> object:
        start.wait()
        return registry.providers()[0]

    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(provider_of_thread, range(16)))

    assert len(made) == 1
