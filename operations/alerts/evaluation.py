"""One evaluation: which rules fire now, and the notifications that follow from it.

What a channel did not accept is sent again at the next evaluation. Safe to run on several hosts
at once.
"""

import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core.database.locks import exclusive
from operations.alerts import messages, notifications
from operations.alerts.channels import Channel
from operations.alerts.delivery import deliver
from operations.alerts.readings import Alert, Readings, Rule
from operations.alerts.rules import DATABASE, RULES
from operations.alerts.state import FileStore, Store, TableStore

logger = logging.getLogger(__name__)

# Concurrent evaluations of several hosts run one after the other; each takes seconds.
WAIT_SECONDS = 5
# None where a rule does not fire; a rule that could not be evaluated is left out.
Alerts = Mapping[Rule, Alert | None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The rules that fire, and the names of the channels that did not accept their message."""

    alerts: Sequence[tuple[Rule, Alert]]
    undelivered: Sequence[str]


def evaluate(channels: Sequence[Channel]) -> Evaluation | None:
    """Evaluate every rule and notify the channels; None if another evaluation is running."""
    with translation.override(settings.LANGUAGE_CODE):
        try:
            shared, outage = _evaluate_rules(channels), None
        except DatabaseError as error:
            shared, outage = Evaluation((), ()), _database_outage(error)
        # Each host reports this for itself: one may reach the database while another does not.
        own = _notify(channels, {DATABASE: outage}, FileStore(settings.STATE_DIR / "alerts.json"))
    if shared is None:
        return None
    return Evaluation([*shared.alerts, *own.alerts], [*shared.undelivered, *own.undelivered])


def _database_outage(error: DatabaseError) -> Alert:
    # The error's own text may name the user and the host.
    return Alert(
        _("Seen from %(host)s: %(error)s.")
        % {"host": socket.gethostname(), "error": type(error).__name__},
        _("Is it running? Is its disk full? Is it out of connections? Check its log."),
    )


def _evaluate_rules(channels: Sequence[Channel]) -> Evaluation | None:
    with exclusive("alerts", wait_seconds=WAIT_SECONDS) as held:
        return _notify(channels, alerts(), TableStore()) if held else None


def alerts() -> Alerts:
    """Evaluate all rules; raises DatabaseError."""
    readings = Readings()
    alerts = {}
    for rule in RULES:
        try:
            alerts[rule] = rule.evaluate(readings)
        except DatabaseError:
            raise
        except Exception:
            logger.exception("The rule %s could not be evaluated.", rule.name)
    return alerts


def _notify(channels: Sequence[Channel], alerts: Alerts, store: Store) -> Evaluation:
    """Send each channel what it has not been sent yet."""
    now = timezone.now()
    states = {(state.rule, state.channel): state for state in store.load()}
    plans = {channel: notifications.plan(channel, alerts, states, now) for channel in channels}
    for planned in plans.values():
        store.save(planned.firing)
    failed = deliver(
        {
            channel: messages.message(planned.notifications)
            for channel, planned in plans.items()
            if planned.notifications
        }
    )
    for channel, planned in plans.items():
        if channel not in failed:
            for state in planned.notified:
                state.notified_at = now
            store.save(planned.notified)
            store.delete(planned.resolved)
    return Evaluation(
        [(rule, alert) for rule, alert in alerts.items() if alert],
        [str(channel) for channel in failed],
    )
