"""The alerts that fire now, and the channels notified of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from operations.alerts import channels
from operations.alerts.channels import StatusPage
from operations.alerts.evaluation import alerts
from operations.alerts.readings import Alert, Rule
from operations.models import AlertState


@dataclass(frozen=True, slots=True)
class Notified:
    """A channel's name, without secrets, and when it last accepted a message."""

    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that fires; `since` is None until check_alerts has evaluated it."""

    rule: Rule
    alert: Alert
    since: datetime | None
    notified: Sequence[Notified]


def open_alerts() -> list[OpenAlert]:
    """Evaluate the rules of check_alerts, and return those that fire; raises DatabaseError."""
    names = {channel.key: str(channel) for channel in channels.configured()}
    states = list(AlertState.objects.order_by("since"))
    return [
        _open(rule, alert, [state for state in states if state.rule == rule.name], names)
        for rule, alert in alerts().items()
        if alert
    ]


def _open(
    rule: Rule, alert: Alert, states: Sequence[AlertState], names: dict[str, str]
) -> OpenAlert:
    notified = [
        Notified(names.get(state.channel, state.channel), state.notified_at)
        for state in states
        if state.notified_at and state.channel != StatusPage().key
    ]
    return OpenAlert(rule, alert, states[0].since if states else None, notified)
