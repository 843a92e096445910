"""Webhooks of DingTalk, Feishu and WeCom groups, configured by ALERT_WEBHOOKS."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured

FORM = '[{"kind": "dingtalk", "url": "https://...", "secret": "SEC..."}]'
# WeCom rejects longer texts.
WECOM_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook's URL, which contains its password, and its signing secret ("" for none)."""

    kind: str
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.kind} {urlsplit(self.url).hostname}"

    @property
    def key(self) -> str:
        """An id of the webhook that does not reveal its URL."""
        return f"{self.kind}:{hashlib.sha256(self.url.encode()).hexdigest()[:16]}"


class Post(NamedTuple):
    """The request to send to a webhook."""

    url: str
    body: dict[str, Any]


def parse(value: Any) -> list[Webhook]:
    """Parse the JSON of ALERT_WEBHOOKS. Raises ImproperlyConfigured without repeating values, which
    are secrets."""
    try:
        webhooks = [Webhook(**row) for row in value or []]
        for webhook in webhooks:
            _check(webhook)
    except (TypeError, ValueError, AttributeError):
        raise ImproperlyConfigured(
            f"ALERT_WEBHOOKS must look like {FORM}, where kind is one of {', '.join(KINDS)}, "
            "and only dingtalk and feishu have a secret."
        ) from None
    return webhooks


def _check(webhook: Webhook) -> None:
    address = urlsplit(webhook.url)
    if (
        webhook.kind not in KINDS
        or address.scheme not in ("https", "http")
        or not address.hostname
        or address.port == 0  # raises ValueError for an invalid port
        or not isinstance(webhook.secret, str)
        or (webhook.secret and webhook.kind == "wecom")
    ):
        raise ValueError


def post(webhook: Webhook, text: str) -> Post:
    """The request that posts a text, signed if the webhook has a secret."""
    return KINDS[webhook.kind](webhook, text)


def _dingtalk(webhook: Webhook, text: str) -> Post:
    url = webhook.url
    if webhook.secret:
        timestamp = str(int(time.time() * 1000))
        sign = _sign(key=webhook.secret, message=f"{timestamp}\n{webhook.secret}")
        joint = "&" if urlsplit(url).query else "?"
        url = f"{url}{joint}{urlencode({'timestamp': timestamp, 'sign': sign})}"
    return Post(url, {"msgtype": "text", "text": {"content": text}})


def _feishu(webhook: Webhook, text: str) -> Post:
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
    if webhook.secret:
        timestamp = str(int(time.time()))
        # Feishu's scheme: timestamp and secret are the key, and the message is empty.
        sign = _sign(key=f"{timestamp}\n{webhook.secret}", message="")
        body |= {"timestamp": timestamp, "sign": sign}
    return Post(webhook.url, body)


def _wecom(webhook: Webhook, text: str) -> Post:
    short = text.encode()[:WECOM_BYTES].decode(errors="ignore")
    return Post(webhook.url, {"msgtype": "text", "text": {"content": short}})


def _sign(*, key: str, message: str) -> str:
    digest = hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


KINDS: dict[str, Callable[[Webhook, str], Post]] = {
    "dingtalk": _dingtalk,
    "feishu": _feishu,
    "wecom": _wecom,
}
