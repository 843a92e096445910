"""What DashScope's replies and exceptions mean for us."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

import requests

from classification.providers.base import Cause
from classification.providers.wire import ConnectionLost, Exchange
from classification.results import Classification, UnreadableAnswer, read_classification

# Which failures another model may not have: this one is retired, or not for this account.
MODEL_DENIED = ("ModelNotFound", "Model.AccessDenied", "Endpoint.AccessDenied", "AccessDenied")
ACCOUNT = (
    "InvalidApiKey",
    "Arrearage",
    "CommodityNotPurchased",
    "PrepaidBillOverdue",
    "PostpaidBillOverdue",
)
FREE_QUOTA = "AllocationQuota.FreeTierOnly"
OPTIONAL_PARAMETERS = ("response_format", "enable_thinking")


@dataclass(frozen=True, slots=True)
class Failure:
    """A call without a verdict. `code` is the contract's; `why` is for the log.

    `remedy` is what may help now: the same call again, a slower pace, another model, the call
    without the parameter `unsupported`, or nothing.
    """

    code: str
    why: str
    billed: Literal["yes", "no", "perhaps"] = "no"
    remedy: Literal["retry", "slow down", "other model", "without parameter", "none"] = "none"
    unsupported: str = ""
    cause: Cause = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A call's classification and the model's own words."""

    classification: Classification
    text: str


def read_reply(reply: Any, sent_parameters: dict[str, Any]) -> Verdict | Failure:
    """The verdict in an SDK response, or why there is none."""
    status = reply.get("status_code")
    if status != HTTPStatus.OK:
        return _refused(
            int(status or 0), str(reply.get("code") or ""), str(reply.get("message") or ""),
            sent_parameters,
        )  # fmt: skip
    choice = _first((reply.get("output") or {}).get("choices"))
    if choice.get("finish_reason") == "length":
        return Failure("model_bad_reply", "the answer was cut off by LLM_MAX_TOKENS", "yes")
    text = _text((choice.get("message") or {}).get("content"))
    try:
        return Verdict(read_classification(text), text)
    except UnreadableAnswer as error:
        return Failure("model_bad_reply", str(error), "yes")


def _first(items: Any) -> Any:
    return items[0] if isinstance(items, list) and items else {}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(
        part["text"]
        for part in (content if isinstance(content, list) else [])
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )


def _refused(status: int, code: str, message: str, sent_parameters: dict[str, Any]) -> Failure:
    why = f"HTTP {status} {code}"
    if code.lower().replace("_", "") == "datainspectionfailed":
        return Failure("image_rejected", why)
    if code in ACCOUNT or status == HTTPStatus.UNAUTHORIZED:
        is_key = code == "InvalidApiKey" or status == HTTPStatus.UNAUTHORIZED
        return Failure(
            "model_not_configured", why, cause="key_refused" if is_key else "account_unpaid"
        )
    if code == FREE_QUOTA or code.startswith(MODEL_DENIED) or status in (403, 404):
        cause: Cause = "quota_used_up" if code == FREE_QUOTA else "model_retired"
        return Failure("model_not_configured", why, remedy="other model", cause=cause)
    if code.startswith("InvalidParameter") or status == HTTPStatus.BAD_REQUEST:
        unsupported = next(
            (p for p in OPTIONAL_PARAMETERS if p in message and p in sent_parameters), ""
        )
        remedy: Any = "without parameter" if unsupported else "none"
        return Failure("model_unavailable", why, remedy=remedy, unsupported=unsupported)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Failure("model_busy", why, remedy="slow down")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Failure("model_unavailable", why, remedy="retry")
    return Failure("model_unavailable", why)


def read_exception(error: Exception, exchange: Exchange) -> Failure:
    """What an exception of the SDK means. A call that was sent and never answered is perhaps
    billed, so it is not made again."""
    why = type(error).__name__
    billed: Any = "perhaps" if exchange.sent else "no"
    if isinstance(error, requests.ConnectTimeout):
        return Failure("model_unavailable", why, "no", "retry")
    if isinstance(error, requests.Timeout):
        return Failure("model_timeout", why, billed)
    if isinstance(error, ConnectionLost):
        if not exchange.sent or exchange.was_reused:
            # Never sent; or on a connection that the provider had closed while it was idle.
            return Failure("model_unavailable", why, "no", "retry")
        return Failure("model_unavailable", why, billed)
    # Not JSON, not UTF-8, null where an object belongs: an answer, but not one we can read.
    return Failure("model_bad_reply", why, billed)
