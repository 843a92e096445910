"""Extracts what is stored about a failed call: enough to find its cause, without secrets and
personal data."""

import re

import requests

from classification.categories import IDCARD
from classification.providers.base import Evidence
from core.database.text import storable

MAX_MESSAGE_LENGTH = 500
MAX_REPLY_LENGTH = 2000
MAX_CODE_LENGTH = 60
# Keys, base64 of photos, and numbers that may be personal.
SECRETS = re.compile(
    r"\b(?:sk|ak|Bearer)[-_ ][\w\-*]+|[A-Za-z0-9+/=_\-]{40,}|\d{6,}", re.IGNORECASE
)
# The contents of ID cards are never stored; nor is a reply that may repeat them.
CARD = re.compile(
    rf"{IDCARD}|id[ _-]?card|passport|licen[cs]e|身份|证件|护照|驾驶|驾照|社保|银行卡|姓名|住址",
    re.IGNORECASE,
)


def evidence_of(
    response: requests.Response | None, code: str = "", message: str = "", reply: str = ""
) -> Evidence:
    """The evidence in a response; `code` and `message` are the provider's, `reply` is the
    model's."""
    return Evidence(
        status=None if response is None else response.status_code,
        code=re.sub(r"[^\w.\-]", "", code)[:MAX_CODE_LENGTH],
        message=_masked(message)[:MAX_MESSAGE_LENGTH],
        reply="" if CARD.search(reply) else _masked(reply)[:MAX_REPLY_LENGTH],
    )


def _masked(text: str) -> str:
    return SECRETS.sub("…", storable(text))
