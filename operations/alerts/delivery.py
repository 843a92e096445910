"""Sends messages to all channels at once."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.utils import translation

from operations.alerts import messages
from operations.alerts.channels import Channel, NotDelivered
from operations.alerts.messages import Message

logger = logging.getLogger(__name__)


def deliver(outgoing: Mapping[Channel, Message]) -> list[Channel]:
    """Send each channel its message; return the channels that did not accept theirs."""
    if not outgoing:
        return []
    with ThreadPoolExecutor(len(outgoing)) as pool:
        delivered = list(pool.map(_send, outgoing, outgoing.values()))
    return [channel for channel, ok in zip(outgoing, delivered, strict=True) if not ok]


def send_test(channels: Sequence[Channel]) -> list[str]:
    """Send every channel a test message; return the names of those that did not accept it."""
    with translation.override(settings.LANGUAGE_CODE):
        message = messages.test()
    return [str(channel) for channel in deliver(dict.fromkeys(channels, message))]


def _send(channel: Channel, message: Message) -> bool:
    try:
        channel.send(message.subject, message.text)
    except NotDelivered as error:
        logger.warning("An alert was not delivered to %s: %s", channel, error)
        return False
    except Exception as error:
        # Its text may contain an address, and so a password.
        logger.error("An alert was not delivered to %s: %s", channel, type(error).__name__)
        return False
    return True
