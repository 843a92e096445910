"""The channels that alerts are sent to: e-mail, and webhooks of chat groups."""

from dataclasses import dataclass
from typing import Protocol

import requests
from django.conf import settings
from django.core.mail import send_mail

from operations.alerts import webhooks
from operations.alerts.webhooks import Webhook

SECONDS = 5


class NotDelivered(Exception):
    """A channel did not accept a message. The reason names no address: it contains a password."""


class Channel(Protocol):
    """`key` identifies the channel permanently; str() names it, without secrets."""

    @property
    def key(self) -> str: ...

    def send(self, subject: str, text: str) -> None:
        """Raises NotDelivered."""
        ...


@dataclass(frozen=True, slots=True)
class Email:
    """The people in ALERT_EMAILS."""

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
class WebhookChannel:
    """The webhook of a chat group."""

    webhook: Webhook

    def __str__(self) -> str:
        return str(self.webhook)

    @property
    def key(self) -> str:
        return self.webhook.key

    def send(self, subject: str, text: str) -> None:
        post = webhooks.post(self.webhook, f"{subject}\n{text}")
        try:
            with requests.Session() as session:
                # As for the model: a proxy of the environment would see the webhook's secret, and
                # requests does not support all kinds of proxies.
                session.trust_env = False
                reply = session.post(
                    post.url, json=post.body, timeout=SECONDS, allow_redirects=False
                )
            answer = reply.json() if reply.ok else {}
        except (requests.RequestException, ValueError) as error:
            raise NotDelivered(type(error).__name__) from None
        # All three services respond with 200 even to rejected messages.
        code = answer.get("errcode", answer.get("code")) if isinstance(answer, dict) else None
        if reply.status_code != requests.codes.ok or code != 0:
            raise NotDelivered(f"HTTP {reply.status_code}, code {code}")


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The status page, which reads open alerts from the table: nothing is sent."""

    def __str__(self) -> str:
        return "status page"

    @property
    def key(self) -> str:
        return "page"

    def send(self, subject: str, text: str) -> None:
        pass


def configured() -> list[Channel]:
    """The channels named in the settings."""
    robots: list[Channel] = [WebhookChannel(webhook) for webhook in settings.ALERT_WEBHOOKS]
    return [Email(tuple(settings.ALERT_EMAILS)), *robots] if settings.ALERT_EMAILS else robots
