"""Whether DashScope takes our key and has our model, found out without a paid call.

The request names the model but holds no message, so there is nothing to work on and nothing to
bill: what comes back is what stands in the way first.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import requests

PATH = "/services/aigc/multimodal-generation/generation"
SECONDS = 10
ACCOUNT = {"Arrearage", "CommodityNotPurchased", "PrepaidBillOverdue", "PostpaidBillOverdue"}


@dataclass(frozen=True, slots=True)
class Reachability:
    """What stands in the way first, and how far the provider's clock is ahead, in seconds; None
    where it does not say. `code` is the provider's own."""

    outcome: Literal["ok", "unreachable", "key", "account", "model", "unclear"]
    code: str = ""
    clock_ahead: float | None = None


def reach(base_url: str, api_key: str, model: str) -> Reachability:
    """Send the request that holds nothing; never raises."""
    started = datetime.now(UTC)
    with requests.Session() as session:
        session.trust_env = False  # neither .netrc nor a proxy variable may touch the key
        try:
            response = session.post(
                base_url + PATH,
                json={"model": model, "input": {}, "parameters": {}},
                headers={"Authorization": f"Bearer {api_key}"},
                timeout=SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return Reachability("unreachable", type(error).__name__)
    middle = started + (datetime.now(UTC) - started) / 2
    code = _code(response)
    return Reachability(_outcome(response.status_code, code), code, _ahead(response, middle))


def _code(response: requests.Response) -> str:
    try:
        return str(response.json().get("code") or "")[:60]
    except (ValueError, AttributeError):
        return f"HTTP {response.status_code}"


def _outcome(
    status: int, code: str
) -> Literal["ok", "unreachable", "key", "account", "model", "unclear"]:
    if code in ACCOUNT or code == "AllocationQuota.FreeTierOnly":
        return "account"
    if status == 401:
        return "key"
    if status in (403, 404):
        return "model"
    return "ok" if status == 400 and code.startswith("InvalidParameter") else "unclear"


def _ahead(response: requests.Response, now: datetime) -> float | None:
    try:
        return (parsedate_to_datetime(response.headers["Date"]) - now).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None
