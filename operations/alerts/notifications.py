"""Which notifications a channel is due, given what it has been sent before.

A channel is notified when an alert starts firing, again every hour while it lasts, or only when
there is news where the alert says so, and once it is resolved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from operations.alerts.channels import Channel
from operations.alerts.readings import Alert, Rule
from operations.models import AlertState

REMINDER_INTERVAL = timedelta(hours=1)
# How far the clocks of hosts may differ. A time further in the future was written by a wrong clock,
# and is ignored.
MAX_SKEW = timedelta(minutes=5)
# An alert that flaps within this time is one alert.
RESOLVED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Notification:
    """The news about one rule, which has been firing since `since`; `alert` is None once it is
    resolved."""

    status: Literal["firing", "reminder", "resolved"]
    rule: Rule
    alert: Alert | None
    since: datetime


@dataclass(slots=True)
class Plan:
    """What one channel is due, and the states to write: `firing` in any case, `notified` and
    `resolved` only once the notifications have been delivered."""

    notifications: list[Notification] = field(default_factory=list)
    firing: list[AlertState] = field(default_factory=list)
    notified: list[AlertState] = field(default_factory=list)
    resolved: list[AlertState] = field(default_factory=list)


def plan(
    channel: Channel,
    alerts: Mapping[Rule, Alert | None],
    states: Mapping[tuple[str, str], AlertState],
    now: datetime,
) -> Plan:
    """Compare what fires now with `states`, by rule and channel."""
    planned = Plan()
    for rule, alert in alerts.items():
        state = states.get((rule.name, channel.key))
        if alert:
            state = state or AlertState(rule=rule.name, channel=channel.key, since=now)
            _plan_firing(planned, rule, alert, state, now)
        elif state and not -MAX_SKEW <= now - state.seen_at < RESOLVED_AFTER:
            _plan_resolved(planned, rule, state)
    return planned


def _plan_firing(planned: Plan, rule: Rule, alert: Alert, state: AlertState, now: datetime) -> None:
    if state.since - now > MAX_SKEW:
        state.since = now
    state.seen_at = now
    planned.firing.append(state)
    if _is_due(state, alert, now):
        status: Literal["firing", "reminder"] = "reminder" if state.notified_at else "firing"
        planned.notifications.append(Notification(status, rule, alert, state.since))
        planned.notified.append(state)


def _plan_resolved(planned: Plan, rule: Rule, state: AlertState) -> None:
    planned.resolved.append(state)
    if state.notified_at:  # a channel that was never notified need not learn that it is resolved
        planned.notifications.append(Notification("resolved", rule, None, state.since))


def _is_due(state: AlertState, alert: Alert, now: datetime) -> bool:
    if state.notified_at is None or state.notified_at - now > MAX_SKEW:
        return True
    return state.notified_at < (alert.news_since or now - REMINDER_INTERVAL)
