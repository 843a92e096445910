"""Who is told of alerts: people by e-mail, groups by their robots."""

from dataclasses import dataclass
from typing import Protocol

import requests
from django.conf import settings
from django.core.mail import send_mail

from operations.alerts import webhooks
from operations.alerts.webhooks import Webhook

SECONDS = 5


class NotDelivered(Exception):
    """A receiver did not take a message. The reason names no address, as it holds a password."""


class Receiver(Protocol):
    """`key` tells it from the others for good; its text says who it is, without secrets."""

    @property
    def key(self) -> str: ...

    def send(self, subject: str, text: str) -> None:
        """Raises NotDelivered."""
        ...


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The people of ALERT_EMAILS."""

    addresses: tuple[str, ...]

    def __str__(self) -> str:
        return "e-mail"

    @property
    def key(self) -> str:
        return "email"

    def send(self, subject: str, text: str) -> None:
        try:
            send_mail(subject, text, None, list(self.addresses))
        except OSError as error:  # of sockets, TLS and smtplib alike
            raise NotDelivered(type(error).__name__) from None


@dataclass(frozen=True, slots=True)
class Robot:
    """A group's robot."""

    webhook: Webhook

    def __str__(self) -> str:
        return str(self.webhook)

    @property
    def key(self) -> str:
        return self.webhook.key

    def send(self, subject: str, text: str) -> None:
        post = webhooks.post(self.webhook, f"{subject}\n{text}")
        try:
            reply = requests.post(post.url, json=post.body, timeout=SECONDS, allow_redirects=False)
            answer = reply.json() if reply.ok else {}
        except (requests.RequestException, ValueError) as error:
            raise NotDelivered(type(error).__name__) from None
        # All three answer 200 to what they refuse.
        code = answer.get("errcode", answer.get("code")) if isinstance(answer, dict) else None
        if reply.status_code != requests.codes.ok or code != 0:
            raise NotDelivered(f"HTTP {reply.status_code}, code {code}")


def configured() -> list[Receiver]:
    """The receivers that the settings name."""
    robots: list[Receiver] = [Robot(webhook) for webhook in settings.ALERT_WEBHOOKS]
    return [Mailbox(tuple(settings.ALERT_EMAILS)), *robots] if settings.ALERT_EMAILS else robots
