"""What networks and models send besides answers, each seen to go wrong."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from classification.images import Photo
from classification.providers.dashscope.provider import DashScopeProvider
from classification.providers.model_table.table import ModelFacts, ModelTable
from classification.providers.slots import Slots
from tests.support.dashscope_server import DashScopeServer
from tests.support.remote_providers import PROMPT, failure, make_provider, prepared
from tests.support.waiting import wait_until


@pytest.fixture
def server() -> Iterator[DashScopeServer]:
    with DashScopeServer() as server:
        yield server


@pytest.fixture(scope="module")
def photo() -> Photo:
    return prepared()


def provider(server: DashScopeServer, **arguments: Any) -> DashScopeProvider:
    defaults = {"models": ["a-model", "another-model"], "timeout": 10}
    return make_provider(DashScopeProvider, server.base_url, defaults | arguments)


def says(server: DashScopeServer, status: int, code: str, message: str) -> None:
    server.error = (status, code, message)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "InvalidParameter", "Model not exist."),
        (404, "InvalidParameter", "Model not exist."),
        (404, "ModelNotFound", "The model does not exist."),
        (400, "", "Model not exist."),
        (403, "Model.AccessDenied", "Model access denied."),
        (400, "model_not_found", "The model `a-model` does not exist."),
    ],
)
def test_a_model_that_is_gone_is_followed_by_the_next_in_the_same_request(
    server: DashScopeServer, photo: Photo, status: int, code: str, message: str
) -> None:
    says(server, status, code or "Unknown", message)
    server.script("error", "ok")
    answer = provider(server).classify(photo, PROMPT)

    assert answer.model == "another-model"
    assert [call.billed for call in answer.calls] == ["no", "yes"]


def test_a_model_that_is_gone_names_its_cause(server: DashScopeServer, photo: Photo) -> None:
    says(server, 400, "InvalidParameter", "Model not exist.")
    server.script("error")
    error = failure(provider(server, models=["a-model"]), photo)

    assert (error.code, error.cause) == ("model_not_configured", "model_retired")


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "DataInspectionFailed", "Input data may contain inappropriate content."),
        (500, "InternalError.Algo.DataInspectionFailed", "Output data may be inappropriate."),
        (400, "InvalidParameter", "The image length and width do not meet the restrictions."),
        (400, "InvalidParameter.DataInspection", "The media format is not supported."),
        (400, "InvalidParameter", "Exceeded limit on max bytes per data-uri item."),
        (400, "InvalidParameter", "图片格式错误"),
    ],
)
def test_what_is_the_photos_fault_never_counts_against_the_model(
    server: DashScopeServer, photo: Photo, status: int, code: str, message: str
) -> None:
    says(server, status, code, message)
    server.script("error")
    asked = provider(server)
    errors = [failure(asked, photo) for _ in range(7)]

    assert {error.code for error in errors} == {"image_rejected"}
    assert len(server.requests) == 7
    assert asked.status.state == "available"


def test_the_breaker_needs_different_photos(server: DashScopeServer, photo: Photo) -> None:
    says(server, 400, "InvalidParameter", "Something is wrong with it.")
    server.script("error")
    asked = provider(server)
    for _ in range(8):
        failure(asked, photo)
    assert asked.status.state == "available"
    for seed in range(1, 5):
        failure(asked, prepared(seed))

    assert asked.status.state == "failing"


@pytest.mark.parametrize("status", [401, 403, 404, 407, 502])
def test_a_strangers_page_tells_nothing_about_key_or_model(
    server: DashScopeServer, photo: Photo, status: int
) -> None:
    server.script(f"html {status}", "ok")
    answer = provider(server).classify(photo, PROMPT)

    assert answer.model == "a-model"
    assert [(call.outcome, call.billed) for call in answer.calls] == [
        ("model_unavailable", "no"),
        ("ok", "yes"),
    ]


@pytest.mark.parametrize("status", [504, 524])
@pytest.mark.parametrize("is_page", [True, False])
def test_a_gateway_that_gave_up_may_have_cost_money_and_is_not_asked_again(
    server: DashScopeServer, photo: Photo, status: int, is_page: bool
) -> None:
    says(server, status, "upstream_timeout", "The upstream did not answer.")
    server.script(f"html {status}" if is_page else "error", "ok")
    error = failure(provider(server), photo)

    assert error.code == "model_unavailable"
    assert [call.billed for call in error.calls] == ["perhaps"]
    assert len(server.requests) == 1


def test_a_stranger_who_stays_is_told_as_what_it_is(
    server: DashScopeServer, photo: Photo, caplog: pytest.LogCaptureFixture
) -> None:
    server.script("html 403")
    asked = provider(server, timeout=2)
    error = failure(asked, photo)

    assert (error.code, error.cause) == ("model_unavailable", "not_the_provider")
    assert "something other than the provider is answering" in caplog.text
    assert asked.status.state == "available"  # not at once


@pytest.mark.parametrize("path", ["", "/compatible-mode/v1", "/api/v1/services/aigc"])
def test_a_wrong_address_is_named(
    server: DashScopeServer, photo: Photo, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    asked = provider(server, base_url=server.address + path)
    error = failure(asked, photo)

    assert (error.code, error.cause) == ("model_unavailable", "wrong_address")
    assert f"LLM_BASE_URL ({server.address}{path})" in caplog.text
    assert "retired" not in caplog.text


def test_the_providers_retry_after_is_kept(server: DashScopeServer, photo: Photo) -> None:
    server.retry_after = "2"
    server.script("Throttling", "ok")
    provider(server).classify(photo, PROMPT)
    first, second = server.requests

    assert 2 <= second.at - first.at < 5


def test_a_retry_after_beyond_the_limit_is_the_clients(
    server: DashScopeServer, photo: Photo
) -> None:
    server.retry_after = "600"
    server.script("Throttling")
    started = time.monotonic()
    error = failure(provider(server), photo)

    assert (error.code, error.retry_after) == ("model_busy", 601)
    assert len(server.requests) == 1
    assert time.monotonic() - started < 60


def test_whoever_is_throttled_holds_the_others_back(server: DashScopeServer, photo: Photo) -> None:
    server.retry_after = "600"
    server.script("Throttling")
    asked = provider(server)
    failure(asked, photo)
    error = failure(asked, photo)

    assert len(server.requests) == 1
    assert error.retry_after
    assert 50 < error.retry_after <= 61


@pytest.mark.parametrize(
    "usage",
    [
        {},
        [],
        "800",
        {"input_tokens": "800", "output_tokens": 40},
        {"input_tokens": 800.5, "output_tokens": 40},
        {"input_tokens": -1, "output_tokens": 40},
        {"input_tokens": 10**30, "output_tokens": 40},
        {"input_tokens": {"text": 800}, "output_tokens": 40},
        {"input_tokens": True, "output_tokens": 40},
        {"input_tokens": 0, "output_tokens": 0},
        {"input_tokens": 800},
        {"tokens": 840},
    ],
)
def test_tokens_that_cannot_be_are_unknown_and_lose_no_answer(
    server: DashScopeServer, photo: Photo, usage: Any
) -> None:
    server.usage = usage
    (call,) = provider(server).classify(photo, PROMPT).calls

    assert (call.billed, call.input_tokens, call.output_tokens) == ("yes", None, None)
    assert call.cached_tokens is None


def test_cached_tokens_are_in_the_ledger(server: DashScopeServer, photo: Photo) -> None:
    server.usage = {
        "input_tokens": 800,
        "output_tokens": 40,
        "prompt_tokens_details": {"cached_tokens": 256},
    }
    (call,) = provider(server).classify(photo, PROMPT).calls

    assert (call.input_tokens, call.output_tokens, call.cached_tokens) == (800, 40, 256)


def test_the_sdks_own_log_never_holds_the_key(
    photo: Photo, caplog: pytest.LogCaptureFixture, server: DashScopeServer
) -> None:
    asked = provider(server, api_key="sk-sécret密钥", timeout=1)
    with caplog.at_level(logging.DEBUG):
        failure(asked, photo)

    assert "cret" not in caplog.text
    assert not [record for record in caplog.records if record.name == "dashscope"]


def test_a_call_that_is_given_up_has_one_line_in_the_ledger(
    server: DashScopeServer, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread, which does not come back in time, writes no other."""
    asked = provider(server, timeout=0.5)
    blocked, original = threading.Event(), asked.call

    def call(*arguments: Any) -> Any:
        result = original(*arguments)
        blocked.wait(60)
        return result

    monkeypatch.setattr(asked, "call", call)
    error = failure(asked, photo)
    blocked.set()

    assert [(line.outcome, line.billed) for line in error.calls] == [("model_timeout", "perhaps")]


def test_a_throttled_model_that_is_announced_as_retiring_says_so(
    server: DashScopeServer, photo: Photo, caplog: pytest.LogCaptureFixture
) -> None:
    facts = ModelFacts(
        name="a-model",
        vendor="aliyun",
        pixels_per_token=1024,
        thinks=False,
        structured_output="json_object",
        source="a notice",
        checked=date(2026, 11, 1),
        announced=date(2026, 11, 1),
        retired=date(2099, 1, 31),
        successor="another-model",
    )
    server.script("Throttling", "ok")
    provider(server, table=ModelTable({"a-model": facts})).classify(photo, PROMPT)

    assert "a-model is throttled. Its retirement on 2099-01-31 is announced" in caplog.text
    assert "another-model" in caplog.text


def test_a_call_that_no_thread_could_be_started_for_is_never_made(
    server: DashScopeServer, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call's thread would take it up later, and nobody would wait for the answer."""
    asked = provider(server, slots=Slots(2))
    server.script("hold", "ok")
    first = threading.Thread(target=asked.classify, args=(photo, PROMPT))
    first.start()
    wait_until(lambda: len(server.requests) == 1)

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        refused = failure(asked, prepared(seed=1))
    server.released.set()
    first.join()
    wait_until(lambda: asked.status.calls_in_flight == 0)
    asked.classify(prepared(seed=2), PROMPT)

    assert (refused.code, refused.calls) == ("model_busy", ())
    assert len(server.requests) == 2
