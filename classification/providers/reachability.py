"""Checks, without a paid call, whether a provider accepts the key and serves the model."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import requests

from classification.providers.causes import Cause
from classification.providers.http_session import root_cause

SECONDS = 10


@dataclass(frozen=True, slots=True)
class Reachability:
    """The first obstacle found; `why` is empty if there is none. `clock_ahead` is the seconds by
    which the provider's clock is ahead, None if unknown."""

    why: str = ""
    cause: Cause = ""
    is_unreachable: bool = False
    clock_ahead: float | None = None


def reach(
    send: Callable[[requests.Session], requests.Response],
    judge: Callable[[requests.Response], tuple[str, Cause]],
) -> Reachability:
    """Send a request that is not billed, and have `judge` interpret the response; never raises."""
    started = datetime.now(timezone.utc)
    with requests.Session() as session:
        session.trust_env = False  # neither .netrc nor a proxy variable may touch the key
        try:
            response = send(session)
        except requests.RequestException as error:
            why = f"{type(error).__name__} ({root_cause(error)})"
            return Reachability(why, is_unreachable=True)
    middle = started + (datetime.now(timezone.utc) - started) / 2
    why, cause = judge(response)
    return Reachability(why, cause, clock_ahead=_ahead(response, middle))


def _ahead(response: requests.Response, now: datetime) -> float | None:
    try:
        return (parsedate_to_datetime(response.headers["Date"]) - now).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None
