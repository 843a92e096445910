"""What people read, in the language of the service."""

import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils import timezone
from django.utils.translation import gettext as _

from operations.alerts.conditions import Condition, Finding


@dataclass(frozen=True, slots=True)
class News:
    """What one receiver is to be told about one condition, which began at `since`."""

    kind: Literal["begins", "lasts", "over"]
    condition: Condition
    finding: Finding | None
    since: datetime


def subject(news: list[News]) -> str:
    """One line that says whose alert this is, and about what."""
    first = _headline(news[0])
    if len(news) > 1:
        first = _("%(first)s, and %(more)s more") % {"first": first, "more": len(news) - 1}
    return _("[Photo classification] %(headline)s") % {"headline": first}


def text(news: list[News]) -> str:
    """All of it, a paragraph each, and the host that found it."""
    paragraphs = [_paragraph(each) for each in news]
    if len(news) > 1:
        paragraphs = [f"{_headline(n)}\n{p}" for n, p in zip(news, paragraphs, strict=True)]
    return "\n\n".join([*paragraphs, _("Checked by %(host)s.") % {"host": socket.gethostname()}])


def trial() -> tuple[str, str]:
    """The subject and the text of a message that only shows that messages arrive."""
    return (
        _("[Photo classification] %(headline)s") % {"headline": _("Test of the alerts")},
        _("Alerts will come here. Nothing is wrong, and there is nothing to do."),
    )


def _headline(news: News) -> str:
    titles = {
        "begins": _("Alert: %(title)s"),
        "lasts": _("Still: %(title)s"),
        "over": _("Over: %(title)s"),
    }
    return titles[news.kind] % {"title": news.condition.title}


def _paragraph(news: News) -> str:
    since = _moment(news.since)
    if news.finding is None:
        moments = {"since": since, "now": _moment(timezone.now())}
        return _("It lasted from %(since)s to %(now)s.") % moments
    return "\n".join(
        [
            news.finding.detail,
            _("What to do: %(advice)s") % {"advice": news.finding.advice},
            _("Since %(since)s.") % {"since": since},
        ]
    )


def _moment(time: datetime) -> str:
    return f"{timezone.localtime(time):%m-%d %H:%M}"
