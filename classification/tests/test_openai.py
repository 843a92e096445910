"""The provider for any OpenAI-compatible address, with a server that fails in every way."""

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest

from classification.images import Photo
from classification.model_output import Classification
from classification.providers.model_table.reading import read_table
from classification.providers.openai.provider import SCHEMA, SEED, OpenAIProvider
from classification.providers.retries import MAX_CALLS
from classification.providers.slots import Slots
from tests.support.model_failures import COMMON_FAILURES
from tests.support.openai_server import COMPLETIONS, OpenAIServer
from tests.support.remote_providers import KEY, PROMPT, TIMEOUT, failure, make_provider, prepared


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture(scope="module")
def photo() -> Photo:
    return prepared()


def provider(server: OpenAIServer, **arguments: Any) -> OpenAIProvider:
    defaults = {"models": ["a-vision-model"]}
    return make_provider(OpenAIProvider, server.base_url, defaults | arguments)


def test_exactly_the_documented_request_goes_out(server: OpenAIServer, photo: Photo) -> None:
    answer = provider(server).classify(photo, PROMPT)
    (request,) = server.requests
    image = base64.b64encode(photo.jpeg).decode()

    assert request.path == COMPLETIONS
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "a-vision-model",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": PROMPT},
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/jpeg;base64,{image}"},
                    },
                ],
            }
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "classification", "strict": True, "schema": SCHEMA},
        },
        "temperature": 0,
        "seed": SEED,
        "max_tokens": 500,
        "chat_template_kwargs": {"enable_thinking": False},
    }
    assert answer.classification == Classification("pets", 0.95, "一只猫")
    (call,) = answer.calls
    assert (call.provider, call.outcome, call.billed) == ("openai", "ok", "yes")
    assert (call.input_tokens, call.output_tokens) == (800, 40)


def test_without_a_key_none_is_sent(server: OpenAIServer, photo: Photo) -> None:
    provider(server, api_key="").classify(photo, PROMPT)

    assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize("mode", ["ok", "ok_string", "prose", "fenced"])
def test_every_form_of_a_verdict_is_read(server: OpenAIServer, photo: Photo, mode: str) -> None:
    server.script(mode)

    assert provider(server).classify(photo, PROMPT).classification.category == "pets"


def test_structured_output_is_what_the_model_has(server: OpenAIServer, photo: Photo) -> None:
    """A schema, else any JSON, else plain words; found out once."""
    asked = provider(server)

    def formats() -> list[str]:
        server.requests.clear()
        asked.classify(photo, PROMPT)
        bodies = [request.body for request in server.requests]
        return [body.get("response_format", {}).get("type", "none") for body in bodies]

    server.script("refuse json_schema")
    assert formats() == ["json_schema", "json_object"]
    assert formats() == ["json_object"]
    server.script("refuse response_format")
    assert formats() == ["json_object", "none"]
    assert formats() == ["none"]


@pytest.mark.parametrize("name", ["seed", "temperature", "chat_template_kwargs"])
def test_a_parameter_that_a_model_lacks_is_dropped_and_remembered(
    server: OpenAIServer, photo: Photo, name: str
) -> None:
    server.script(f"refuse {name}")
    asked = provider(server)
    first = asked.classify(photo, PROMPT)
    asked.classify(photo, PROMPT)

    assert [call.billed for call in first.calls] == ["no", "yes"]
    assert [name in request.body for request in server.requests] == [True, False, False]


def test_a_limit_that_has_a_newer_name_is_given_by_it(server: OpenAIServer, photo: Photo) -> None:
    server.script("refuse max_tokens")
    provider(server).classify(photo, PROMPT)

    assert server.requests[-1].body["max_completion_tokens"] == 500


def test_dashscopes_own_compatible_mode_is_told_not_to_think_in_its_words() -> None:
    asked = OpenAIProvider(
        api_key=KEY,
        models=["qwen3.5-plus"],
        table=read_table(),
        base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
        timeout=TIMEOUT,
        max_tokens=500,
        slots=Slots(1),
    )
    names = [feature.name for feature in asked.features("qwen3.5-plus", PROMPT)]
    others = [feature.name for feature in asked.features("qwen3-vl-plus", PROMPT)]

    assert "enable_thinking" in names
    assert "chat_template_kwargs" not in names
    assert "enable_thinking" not in others


FAILURES = COMMON_FAILURES | {
    "null_message": ("model_bad_reply", 1, "yes"),
    "missing_choices": ("model_bad_reply", 1, "perhaps"),
    "refusal": ("image_rejected", 1, "yes"),
    "content_filter": ("image_rejected", 1, "yes"),
    "content_policy_violation": ("image_rejected", 1, "no"),
    "html 401": ("model_unavailable", MAX_CALLS, "no"),
    "html 403": ("model_unavailable", MAX_CALLS, "no"),
    "html 404": ("model_unavailable", MAX_CALLS, "no"),
    "invalid_request_error": ("model_unavailable", 1, "no"),
    "invalid_api_key": ("model_not_configured", 1, "no"),
    "access_denied": ("model_not_configured", 1, "no"),
    "model_not_found": ("model_not_configured", 1, "no"),
    "rate_limit_exceeded": ("model_busy", MAX_CALLS, "no"),
    "insufficient_quota": ("model_busy", MAX_CALLS, "no"),
    "server_error": ("model_unavailable", MAX_CALLS, "no"),
    "overloaded": ("model_unavailable", MAX_CALLS, "no"),
}


@pytest.mark.parametrize("mode", FAILURES)
def test_every_failure_has_its_code_its_limit_of_calls_and_its_ledger_lines(
    server: OpenAIServer, photo: Photo, mode: str
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
    assert billed == "no" or len(server.requests) == 1


# What servers say that are not OpenAI: the body of their error, and the cause it tells.
WORDS: list[tuple[int, str, str]] = [
    (404, "The model `gone` does not exist.", "model_retired"),
    (404, 'model "gone" not found, try pulling it first', "model_retired"),
    (400, "Model not exist.", "model_retired"),
    (400, "Unsupported model `gone` for OpenAI compatibility mode.", "model_retired"),
    (400, "At most 0 image(s) may be provided in one request.", "model_without_vision"),
    (500, "image input is not supported - hint: you may need to provide the mmproj",
     "model_without_vision"),
    (404, "Not Found", "wrong_address"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "message", "cause"), WORDS)
def test_a_cause_is_known_by_its_words(
    server: OpenAIServer, photo: Photo, status: int, message: str, cause: str
) -> None:
    server.script("error")
    server.error = (status, "", message)

    assert failure(provider(server), photo).cause == cause


def test_an_address_without_the_api_is_named(
    server: OpenAIServer, photo: Photo, caplog: pytest.LogCaptureFixture
) -> None:
    error = failure(provider(server, base_url=server.address), photo)

    assert (error.code, error.cause) == ("model_unavailable", "wrong_address")
    assert f"LLM_BASE_URL ({server.address})" in caplog.text
