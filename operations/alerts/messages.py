"""The text of notifications, in the language of the service."""

import socket
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from operations.alerts.notifications import Notification


class Message(NamedTuple):
    subject: str
    text: str


def message(notifications: Sequence[Notification]) -> Message:
    """One message with a paragraph for each notification, signed by this host."""
    headlines = [_headline(each) for each in notifications]
    paragraphs = [_paragraph(each) for each in notifications]
    first = headlines[0]
    if more := len(headlines) - 1:
        first = _("%(first)s, and %(more)s more") % {"first": first, "more": more}
        paragraphs = [f"{h}\n{p}" for h, p in zip(headlines, paragraphs, strict=True)]
    host = _("Checked by %(host)s.") % {"host": socket.gethostname()}
    return Message(_subject(first), "\n\n".join([*paragraphs, host]))


def test() -> Message:
    """A test message."""
    return Message(
        _subject(_("Test alert")),
        _("Alerts will arrive here. Nothing is wrong, and no action is needed."),
    )


def _subject(headline: str) -> str:
    return _("[Photo classification] %(headline)s") % {"headline": headline}


def _headline(notification: Notification) -> str:
    titles = {
        "firing": _("Alert: %(title)s"),
        "reminder": _("Still firing: %(title)s"),
        "resolved": _("Resolved: %(title)s"),
    }
    return titles[notification.status] % {"title": notification.rule.title}


def _paragraph(notification: Notification) -> str:
    since = _time(notification.since)
    if notification.alert is None:
        times = {"since": since, "now": _time(timezone.now())}
        return _("Lasted from %(since)s to %(now)s.") % times
    return "\n".join(
        [
            notification.alert.detail,
            _("What to do: %(advice)s") % {"advice": notification.alert.advice},
            _("Since %(since)s.") % {"since": since},
        ]
    )


def _time(time: datetime) -> str:
    return f"{timezone.localtime(time):%m-%d %H:%M}"
