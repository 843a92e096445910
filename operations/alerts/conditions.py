"""What people are told of: each condition looks whether it holds, and says what to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classification import processes, spending
from classification.causes import BY_CAUSE, trouble
from classification.models import ServerProcess
from classification.recorder import MAX_WAITING
from classification.templatetags.figures import yuan
from stats import queries
from stats.tail import Tail, exactly

DROPPED_LATELY = timedelta(minutes=10)
HIT_RATE_MINUTES = 60
DAYS_BEFORE = 7
# So few requests tell nothing about a rate that moves with the hour.
HIT_RATE_REQUESTS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """That a condition holds: what was seen, and what to do about it."""

    detail: str
    advice: str


class Readings:
    """What the conditions look at, each read once."""

    @cached_property
    def processes(self) -> list[ServerProcess]:
        return list(processes.alive())

    def requests(self, start: datetime, end: datetime) -> dict[str, Any]:
        """The figures of the requests from `start` to `end`, by the minute."""
        return exactly(lambda tail: queries.span(tail, start, end))

    @property
    def this_minute(self) -> datetime:
        return timezone.localtime().replace(second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Condition:
    """`name` is for the log and the table, `title` for people."""

    name: str
    title: str | Promise
    check: Callable[[Readings], Finding | None]


def daily_cost(readings: Readings) -> Finding | None:
    """Today's calls, the perhaps billed ones included, cost ALERT_DAILY_COST or more."""
    if settings.ALERT_DAILY_COST is None:
        return None
    today = timezone.localdate()
    rows = exactly(lambda tail: queries.ledger(tail, today, today))
    cost = sum(row["billed_cost"] + row["perhaps_billed_cost"] for row in rows)
    if cost < settings.ALERT_DAILY_COST:
        return None
    return Finding(
        _("%(cost)s spent today; the threshold is %(limit)s.")
        % {"cost": yuan(cost), "limit": yuan(settings.ALERT_DAILY_COST)},
        _(
            "Look at the dashboard for who asks for so many new photos. DAILY_COST_LIMIT stops "
            "spending; ALERT_DAILY_COST is this threshold."
        ),
    )


def limit_reached(readings: Readings) -> Finding | None:
    """Another call would pass DAILY_COST_LIMIT."""
    today = spending.today()
    if today is None or not today.is_reached:
        return None
    return Finding(
        _("%(spent)s of %(limit)s are spent; new photos are not sent to the model any more.")
        % {"spent": yuan(today.spent), "limit": yuan(today.limit)},
        _(
            "It goes on by itself at midnight. To go on today, raise DAILY_COST_LIMIT and "
            "restart; look first who asks for so many new photos."
        ),
    )


def failure_rate(readings: Readings) -> Finding | None:
    """Of the last minutes' requests, ALERT_FAILURE_RATE percent or more failed."""
    minutes = settings.ALERT_WINDOW_MINUTES
    end = readings.this_minute + timedelta(minutes=1)
    found = readings.requests(end - timedelta(minutes=minutes), end)
    total, failed = found["requests"], found["failures"]
    if total < settings.ALERT_MIN_REQUESTS or 100 * failed < settings.ALERT_FAILURE_RATE * total:
        return None
    codes = exactly(_frequent_codes)
    return Finding(
        _(
            "%(failed)s of %(total)s requests of the last %(minutes)s minutes failed "
            "(%(rate).1f%%). Most frequent today: %(codes)s."
        )
        % {
            "failed": failed,
            "total": total,
            "minutes": minutes,
            "rate": 100 * failed / total,
            "codes": codes,
        },
        _(
            "Codes that begin with model_ come from the model: see the dashboard's status and the "
            "log. Others come from what apps send."
        ),
    )


def _frequent_codes(tail: Tail) -> str:
    rows = queries.errors(tail, days=1)[:3]
    return ", ".join(f"{row['error_code']} {row['count']}" for row in rows)


def hit_rate(readings: Readings) -> Finding | None:
    """The last hour's hit rate is ALERT_HIT_RATE_FALL points below that of the same hour of
    the days before."""
    end = readings.this_minute
    start = end - timedelta(minutes=HIT_RATE_MINUTES)
    now = readings.requests(start, end)
    days = [timedelta(days=number) for number in range(1, DAYS_BEFORE + 1)]
    before = [readings.requests(start - ago, end - ago) for ago in days]
    total, hits = (sum(found[name] for found in before) for name in ("requests", "hits"))
    if min(now["requests"], total) < HIT_RATE_REQUESTS:
        return None
    rate, usual = 100 * now["hits"] / now["requests"], 100 * hits / total
    if usual - rate < settings.ALERT_HIT_RATE_FALL:
        return None
    return Finding(
        _("%(rate).1f%% in the last hour; %(usual).1f%% in the same hour of the last days.")
        % {"rate": rate, "usual": usual},
        _(
            "Was the cache purged, a prompt published that makes older answers unknown, or an app "
            "released that sends its photos in another size?"
        ),
    )


def breaker_open(readings: Readings) -> Finding | None:
    """Some processes make no calls, for a reason that may pass."""
    resting = [p for p in readings.processes if p.rest_code and not p.rest_cause]
    return _resting(readings, resting, resting[0].rest_code, "") if resting else None


def needs_operator(cause: str) -> Callable[[Readings], Finding | None]:
    """The condition that calls rest for what only an operator can mend."""

    def check(readings: Readings) -> Finding | None:
        resting = [p for p in readings.processes if p.rest_cause == cause]
        return _resting(readings, resting, resting[0].rest_code, cause) if resting else None

    return check


def model_retired(readings: Readings) -> Finding | None:
    """A model is retired or not for this account, whether or not another one answers."""
    if found := needs_operator("model_retired")(readings):
        return found
    denied = sorted({p.denied_models for p in readings.processes if p.denied_models})
    if not denied:
        return None
    return Finding(
        _("Left out: %(models)s. The next of LLM_FALLBACK_MODELS answers for now.")
        % {"models": ", ".join(denied)},
        str(BY_CAUSE["model_retired"].advice),
    )


def _resting(
    readings: Readings, resting: Sequence[ServerProcess], code: str, cause: str
) -> Finding:
    found = trouble(code, cause)
    since = min(p.rest_since for p in resting if p.rest_since)
    return Finding(
        _(
            "%(resting)s of %(processes)s processes make no calls to the model since %(since)s: "
            "%(reason)s."
        )
        % {
            "resting": len(resting),
            "processes": len(readings.processes),
            "since": f"{timezone.localtime(since):%m-%d %H:%M}",
            "reason": found.title,
        },
        str(found.advice),
    )


def buffer_dropping(readings: Readings) -> Finding | None:
    """Log rows were lost lately, or are about to be."""
    now = timezone.now()
    losing = [p for p in readings.processes if p.dropped_at and now - p.dropped_at < DROPPED_LATELY]
    filling = [p for p in readings.processes if p.rows_waiting >= MAX_WAITING / 2]
    if not losing and not filling:
        return None
    return Finding(
        _("%(waiting)s log rows wait for the database, %(dropped)s were lost.")
        % {
            "waiting": sum(p.rows_waiting for p in readings.processes),
            "dropped": sum(p.rows_dropped for p in losing),
        },
        _(
            "The database takes the rows too slowly, or was away: look at its load, its disk and "
            "its log. Paid answers are kept in any case; hits beyond the bound are not counted."
        ),
    )


def no_process(readings: Readings) -> Finding | None:
    """No process of the service has written how it is."""
    if readings.processes:
        return None
    return Finding(
        _("No process of the service has been seen for half a minute."),
        _(
            "Is the service running? See systemctl status and the log; start it again. If it "
            "runs, compare the clocks of the hosts."
        ),
    )


def _by_cause(cause: str, check: Callable[[Readings], Finding | None]) -> Condition:
    return Condition(cause, BY_CAUSE[cause].title, check)


CONDITIONS: Sequence[Condition] = (
    Condition("daily_cost", gettext_lazy("today's cost is above the threshold"), daily_cost),
    Condition("limit_reached", gettext_lazy("the daily limit is reached"), limit_reached),
    Condition("failure_rate", gettext_lazy("many requests fail"), failure_rate),
    Condition("hit_rate", gettext_lazy("the hit rate has fallen"), hit_rate),
    Condition("breaker_open", gettext_lazy("calls to the model are paused"), breaker_open),
    _by_cause("key_refused", needs_operator("key_refused")),
    _by_cause("account_unpaid", needs_operator("account_unpaid")),
    _by_cause("quota_used_up", needs_operator("quota_used_up")),
    _by_cause("model_retired", model_retired),
    Condition(
        "buffer_dropping", gettext_lazy("log rows are lost, or soon will be"), buffer_dropping
    ),
    Condition("no_process", gettext_lazy("the service does not run"), no_process),
)
DATABASE = Condition("database", gettext_lazy("the database does not answer"), lambda _: None)
