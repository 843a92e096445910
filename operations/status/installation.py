"""The state of the whole installation in one word, with the reasons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from classification.billing.daily_limit import Spending
from classification.monitoring.outage_advice import trouble
from classification.monitoring.service_status import PausedProcesses, Service
from classification.pipeline.write_behind import MAX_WAITING
from classification.providers.causes import CAUSE_TEXTS
from classification.templatetags.figures import number, yuan
from operations.alerts.notifications import RESOLVED_AFTER
from operations.alerts.rules import RULES
from operations.models import AlertState

HEALTHY, DEGRADED, DOWN = "good", "warn", "bad"
# Rules whose conditions are checked directly here, and rules that are news rather than problems.
SEEN_ANYWAY = {"limit_reached", "breaker_open", "buffer_dropping", "no_process", *CAUSE_TEXTS}
NEWS = {"model_retiring", "app_limit_near"}
LOST_LATELY = timedelta(hours=1)
NAMED = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the installation is not healthy, and what to do; `level` is DEGRADED or DOWN."""

    level: str
    title: str | Promise
    advice: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Installation:
    """The state of the installation over all processes."""

    reasons: Sequence[Reason]

    @property
    def level(self) -> str:
        """HEALTHY, DEGRADED, or DOWN if new photos are not answered."""
        levels = {reason.level for reason in self.reasons}
        return DOWN if DOWN in levels else DEGRADED if levels else HEALTHY


def installation(service: Service, spending: Spending | None) -> Installation:
    """Determine the state from the processes, today's spending and the alerts."""
    reasons = [
        *_limit(spending),
        *_paused(service),
        *_without_model(service),
        *_denied(service),
        *_log_rows(service),
        *_alerts(),
    ]
    return Installation(sorted(reasons, key=lambda reason: reason.level))  # the bad ones first


def _unless_answered(everywhere: bool) -> str:
    """The level while no paid model is asked: with a fallback, new photos are still answered."""
    return DOWN if everywhere and settings.ON_MODEL_FAILURE == "error" else DEGRADED


def _limit(spending: Spending | None) -> Iterator[Reason]:
    if spending and spending.is_reached:
        yield Reason(
            _unless_answered(everywhere=True),
            _("The daily spending limit has been reached"),
            _(
                "New photos will not be sent to the model until midnight. To resume today, raise "
                "DAILY_COST_LIMIT above %(limit)s and restart."
            )
            % {"limit": yuan(spending.limit)},
        )


def _paused(service: Service) -> Iterator[Reason]:
    level = _unless_answered(service.paused == len(service.processes))
    for paused in service.paused_by_reason:
        title = _("Model calls paused in %(paused)s of %(processes)s processes since %(since)s") % {
            "paused": len(paused.names),
            "processes": len(service.processes),
            "since": f"{timezone.localtime(paused.since):%m-%d %H:%M}",
        }
        yield Reason(level, f"{title} · {paused.reason} · {_names(paused)}", paused.advice)


def _names(paused: PausedProcesses) -> str:
    named = ", ".join(paused.names[:NAMED])
    more = len(paused.names) - NAMED
    return (
        _("%(names)s and %(count)s more") % {"names": named, "count": more} if more > 0 else named
    )


def _without_model(service: Service) -> Iterator[Reason]:
    states = [process.model_state for process in service.processes]
    if "not_configured" in states:
        found = trouble("", "no_key")
        level = _unless_answered(set(states) == {"not_configured"})
        yield Reason(level, found.title, found.advice)


def _denied(service: Service) -> Iterator[Reason]:
    if service.denied_models:
        yield Reason(
            DEGRADED,
            _("Skipped: retired, or not enabled for this account (%(models)s)")
            % {"models": ", ".join(service.denied_models)},
            _("Set LLM_MODEL to a current model, such as qwen3-vl-plus, and restart."),
        )


def _log_rows(service: Service) -> Iterator[Reason]:
    now = timezone.now()
    lost = sum(
        process.rows_dropped
        for process in service.processes
        if process.dropped_at and abs(now - process.dropped_at) < LOST_LATELY
    )
    if lost:
        yield Reason(
            DEGRADED,
            _("%(count)s log rows were lost in the last hour") % {"count": number(lost)},
            _("The database is too slow or was down: check its load, disk and log."),
        )
    elif any(process.rows_waiting >= MAX_WAITING / 2 for process in service.processes):
        yield Reason(
            DEGRADED,
            _("%(count)s log rows are waiting for the database")
            % {"count": number(service.rows_waiting)},
            _("The database is too slow or was down: check its load, disk and log."),
        )


def _alerts() -> Iterator[Reason]:
    """The alerts that check_alerts found firing."""
    lately = timezone.now() - RESOLVED_AFTER
    firing = set(AlertState.objects.filter(seen_at__gte=lately).values_list("rule", flat=True))
    for rule in RULES:
        if rule.name in firing - SEEN_ANYWAY - NEWS:
            yield Reason(DEGRADED, rule.title)
