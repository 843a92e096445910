"""Interprets HTTP responses of providers, whatever their format."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import requests

from classification.model_output import Classification, UnreadableAnswer, read_classification
from classification.providers.base import Billed, Evidence
from classification.providers.causes import Cause
from classification.providers.evidence import evidence_of
from classification.providers.failure_codes import Remedy, meaning_of
from classification.providers.http_session import ConnectionLost, Exchange
from core.database.text import storable

# More than any model uses for a photo and its answer.
MAX_TOKENS = 1_000_000
# Of a gateway that passed the request on, and then did not wait for the model: 524 is Cloudflare's.
GATEWAY_TIMEOUTS = (504, 524)
INPUT_TOKENS = ("input_tokens", "prompt_tokens")
OUTPUT_TOKENS = ("output_tokens", "completion_tokens")
CACHED_TOKENS_IN = ("prompt_tokens_details", "input_tokens_details")


class ModelMessage(NamedTuple):
    """A model's text, why it stopped, and whether it refused the photo."""

    text: str
    finish_reason: str
    is_refusal: bool = False


class ErrorBody(NamedTuple):
    """An error in the provider's own format; either field may be empty."""

    code: str
    message: str


class Feature(NamedTuple):
    """An optional parameter of a request that not every model supports; `words` is a regular
    expression that recognises the error of a model that does not."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    """The format of a provider's replies; each function returns None for a body in another
    format."""

    read_answer: Callable[[dict[str, Any]], ModelMessage | None]
    read_error: Callable[[dict[str, Any]], ErrorBody | None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call. `code` is an error code of the API; `why` is for the log.

    `remedy` is what may help: a retry, slowing down, another model, a retry without the feature
    `unsupported`, or nothing. `retry_after` is the provider's, in seconds. `is_answer` tells that
    the provider itself rejected the request, rather than something in between.
    """

    code: str
    why: str
    billed: Billed = "no"
    remedy: Remedy = "none"
    unsupported: str = ""
    cause: Cause = ""
    retry_after: float | None = None
    is_answer: bool = False
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Success:
    """A successful call: the classification, the model's text, and the model's name in the reply,
    often a dated snapshot; empty if there is none."""

    classification: Classification
    text: str
    snapshot: str = ""


class Usage(NamedTuple):
    """The tokens of a call; None if unknown or implausible."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None


def text_of(content: Any) -> str:
    """The text of a message's content, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(
        part["text"]
        for part in (content if isinstance(content, list) else [])
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )


def read_response(
    response: requests.Response, reply_format: ReplyFormat, features: Sequence[Feature]
) -> Success | Failure:
    """The result of a request that used `features`."""
    body = json_of(response)
    if response.status_code == 200:
        return _with_evidence(
            _read_success(body, reply_format), response, _words(response, body, reply_format)
        )
    error = reply_format.read_error(body) if isinstance(body, dict) else None
    if error:
        failure = _read_error(response, error, features)
        evidence = evidence_of(response, error.code, error.message)
        return replace(failure, evidence=evidence)
    if (body is not None and not isinstance(body, dict)) or response.content.strip() == b"null":
        failure = Failure("model_bad_reply", f"HTTP {response.status_code}, no object", "perhaps")
        return _with_evidence(failure, response, response.text)
    return _with_evidence(_unrecognised(response), response, "")


def _with_evidence(
    result: Success | Failure, response: requests.Response, words: str
) -> Success | Failure:
    """The result, with evidence from the response added if it is a failure."""
    if isinstance(result, Success):
        return result
    reply = words if result.code == "model_bad_reply" else ""
    return replace(result, evidence=evidence_of(response, reply=reply))


def _words(response: requests.Response, body: Any, reply_format: ReplyFormat) -> str:
    """The model's text; the whole body if it is in another format."""
    message = reply_format.read_answer(body) if isinstance(body, dict) else None
    return message.text if message else response.text


def json_of(response: requests.Response) -> Any:
    """The response's JSON; None if it is invalid."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def _read_success(body: Any, reply_format: ReplyFormat) -> Success | Failure:
    message = reply_format.read_answer(body) if isinstance(body, dict) else None
    if message is None:
        # A response, but not a readable one, such as a proxy's page.
        return Failure("model_bad_reply", "not in the provider's form", "perhaps")
    if message.is_refusal or message.finish_reason == "content_filter":
        return Failure("image_rejected", "content inspection", "yes")
    if message.finish_reason == "length":
        return Failure("model_bad_reply", "the answer was cut off by LLM_MAX_TOKENS", "yes")
    try:
        classification = read_classification(message.text)
        return Success(classification, storable(message.text), storable(_snapshot(body)))
    except UnreadableAnswer as error:
        return Failure("model_bad_reply", str(error), "yes")


def _snapshot(body: dict[str, Any]) -> str:
    name = body.get("model")
    return name[:100] if isinstance(name, str) else ""


def _read_error(
    response: requests.Response, error: ErrorBody, features: Sequence[Feature]
) -> Failure:
    code = re.sub(r"[^\w.\-]", "", error.code)[:60]
    why = f"HTTP {response.status_code} {code}".strip()
    for feature in features:
        if re.search(feature.words, error.message, re.IGNORECASE):
            return Failure(
                "model_unavailable", why, remedy="without feature", unsupported=feature.name,
                is_answer=True,
            )  # fmt: skip
    if response.status_code in GATEWAY_TIMEOUTS:
        return Failure("model_unavailable", why, "perhaps")
    meaning = meaning_of(response.status_code, error.code, error.message)
    return Failure(
        meaning.code,
        why,
        remedy=meaning.remedy,
        cause=meaning.cause,
        retry_after=retry_after(response),
        is_answer=True,
    )


def _unrecognised(response: requests.Response) -> Failure:
    """The failure for a response of a proxy, a firewall, a login page, or some other server."""
    status = response.status_code
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    why = f"HTTP {status}, not in the provider's form"
    if status in GATEWAY_TIMEOUTS:
        return Failure("model_unavailable", why, "perhaps")
    if status in (404, 405) and kind != "text/html":
        return Failure("model_unavailable", why, cause="wrong_address")
    remedy: Remedy = "none" if response.is_redirect else "retry"
    if status == 429:
        return Failure("model_busy", why, remedy="slow down", retry_after=retry_after(response))
    # Providers' own gateways also have error pages in other formats.
    cause: Cause = "" if status >= 500 else "not_the_provider"
    return Failure(
        "model_unavailable", why, remedy=remedy, cause=cause, retry_after=retry_after(response)
    )


def retry_after(response: requests.Response) -> float | None:
    """The seconds in the Retry-After header, if there is one."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        wait = parsedate_to_datetime(value) - datetime.now(timezone.utc)
    except (ValueError, TypeError):
        return None
    return max(wait.total_seconds(), 0.0)


def read_exception(error: Exception, exchange: Exchange) -> Failure:
    """The failure for an exception, if there was no response. A call that was sent and not answered
    is possibly billed, so it is not repeated."""
    why = type(error).__name__
    billed: Billed = "perhaps" if exchange.sent else "no"
    if isinstance(error, requests.ConnectTimeout):
        return Failure("model_unavailable", why, "no", "retry")
    if isinstance(error, requests.Timeout):
        return Failure("model_timeout", why, billed)
    if isinstance(error, ConnectionLost):
        why = f"{why} ({error})"
        return Failure("model_unavailable", why, billed, "none" if exchange.sent else "retry")
    # Not even valid HTTP.
    return Failure("model_bad_reply", why, billed)


def read_usage(body: Any) -> Usage:
    """The token counts of a reply; None unless they are plausible integers."""
    usage = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(usage, dict):
        return Usage()
    taken, given = _tokens(usage, INPUT_TOKENS), _tokens(usage, OUTPUT_TOKENS)
    if not taken or not given:
        return Usage()
    details = next((usage[n] for n in CACHED_TOKENS_IN if isinstance(usage.get(n), dict)), usage)
    cached = _tokens(details, ("cached_tokens",))
    return Usage(taken, given, cached if cached is not None and cached <= taken else None)


def _tokens(usage: dict[str, Any], names: Sequence[str]) -> int | None:
    value = next((usage[name] for name in names if name in usage), None)
    return value if type(value) is int and 0 <= value <= MAX_TOKENS else None
