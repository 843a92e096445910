"""The alerting rules. Each returns an Alert if it fires: what was observed, and what to do."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classification.billing import daily_limit
from classification.billing.app_limits import LimitUse
from classification.models import ServerProcess
from classification.monitoring import retirements
from classification.monitoring.outage_advice import trouble
from classification.pipeline.write_behind import MAX_WAITING
from classification.providers.causes import CAUSE_TEXTS
from classification.templatetags.figures import yuan
from operations.alerts.readings import Alert, Readings, Rule
from quality.feedback import rates
from stats import demo
from stats.figures import current_figures

RECENTLY_DROPPED = timedelta(minutes=10)
HIT_RATE_MINUTES = 60
DAYS_BEFORE = 7
# The fewest requests for a meaningful hit rate.
HIT_RATE_REQUESTS = 100


def daily_cost(readings: Readings) -> Alert | None:
    """Today's calls, the possibly billed ones included, cost ALERT_DAILY_COST or more."""
    if settings.ALERT_DAILY_COST is None:
        return None
    today = timezone.localdate()
    with current_figures() as figures:
        rows = figures.ledger(today, today)
    cost = sum(row["billed_cost"] + row["perhaps_billed_cost"] for row in rows)
    cost -= demo.cost_of(today)
    if cost < settings.ALERT_DAILY_COST:
        return None
    return Alert(
        _("%(cost)s has been spent today; the threshold is %(limit)s.")
        % {"cost": yuan(cost), "limit": yuan(settings.ALERT_DAILY_COST)},
        _(
            "Check the dashboard to see who is sending so many new photos. ALERT_DAILY_COST only "
            "sets this threshold; DAILY_COST_LIMIT stops spending."
        ),
    )


def limit_reached(readings: Readings) -> Alert | None:
    """Another call could exceed DAILY_COST_LIMIT."""
    today = daily_limit.today()
    if today is None or not today.is_reached:
        return None
    return Alert(
        _("%(spent)s of %(limit)s has been spent; new photos are no longer sent to the model.")
        % {"spent": yuan(today.spent), "limit": yuan(today.limit)},
        _(
            "Calls resume automatically at midnight. To resume today, raise DAILY_COST_LIMIT and "
            "restart, but first find out who is sending so many new photos."
        ),
    )


def app_limit(name: str, percent: int, below: int | None = None) -> Rule:
    """The rule that fires when apps have used `percent` or more of a daily limit, and less than
    `below`."""

    def evaluate(readings: Readings) -> Alert | None:
        found = [
            use
            for use in readings.app_limits
            if use.percent >= percent and (below is None or use.percent < below)
        ]
        if not found:
            return None
        return Alert(
            "\n".join(map(_described, found)),
            _(
                "At 100%, an app's new photos are refused until midnight. See the app's page; "
                "raise its limit in the admin, or find out who is sending so much."
            ),
        )

    title = {
        80: gettext_lazy("apps are near a limit of today"),
        100: gettext_lazy("apps have reached a limit of today"),
    }
    return Rule(name, title[percent], evaluate)


def _described(use: LimitUse) -> str:
    if use.is_money:
        values = {"app": use.app, "used": yuan(use.used), "limit": yuan(use.limit)}
        return _("%(app)s: %(used)s of %(limit)s") % values
    values = {"app": use.app, "used": str(use.used), "limit": str(use.limit)}
    return _("%(app)s: %(used)s of %(limit)s new photos") % values


def failure_rate(readings: Readings) -> Alert | None:
    """Of the last minutes' requests, ALERT_FAILURE_RATE percent or more failed."""
    minutes = settings.ALERT_WINDOW_MINUTES
    end = readings.this_minute + timedelta(minutes=1)
    found = readings.requests(end - timedelta(minutes=minutes), end)
    total, failed = found["requests"], found["failures"]
    if total < settings.ALERT_MIN_REQUESTS or 100 * failed < settings.ALERT_FAILURE_RATE * total:
        return None
    return Alert(
        _(
            "%(failed)s of %(total)s requests failed in the last %(minutes)s minutes "
            "(%(rate).1f%%). Most frequent codes today: %(codes)s."
        )
        % {
            "failed": failed,
            "total": total,
            "minutes": minutes,
            "rate": 100 * failed / total,
            "codes": _frequent_codes(),
        },
        _(
            "Codes starting with model_ come from the model: check the dashboard's status panel "
            "and the log. The others are caused by what apps send."
        ),
    )


def _frequent_codes() -> str:
    with current_figures() as figures:
        rows = figures.errors(days=1)[:3]
    return ", ".join(f"{row['error_code']} {row['count']}" for row in rows)


def hit_rate(readings: Readings) -> Alert | None:
    """The last hour's hit rate is ALERT_HIT_RATE_FALL points below that of the same hour of
    the days before."""
    end = readings.this_minute
    start = end - timedelta(minutes=HIT_RATE_MINUTES)
    now = readings.requests(start, end)
    if now["requests"] < HIT_RATE_REQUESTS:
        return None
    days = [timedelta(days=number) for number in range(1, DAYS_BEFORE + 1)]
    before = [readings.requests(start - ago, end - ago) for ago in days]
    total, hits = (sum(found[name] for found in before) for name in ("requests", "hits"))
    if total < HIT_RATE_REQUESTS:
        return None
    rate, usual = 100 * now["hits"] / now["requests"], 100 * hits / total
    if usual - rate < settings.ALERT_HIT_RATE_FALL:
        return None
    return Alert(
        _("%(rate).1f%% in the last hour; %(usual).1f%% at the same hour of the past days.")
        % {"rate": rate, "usual": usual},
        _(
            "Was the cache purged? Did a new prompt version retire older answers? Does a new app "
            "release resize its photos differently?"
        ),
    )


def agreement(readings: Readings) -> Alert | None:
    """Agreement has dropped by ALERT_AGREEMENT_FALL points."""
    falls = rates.falls(float(settings.ALERT_AGREEMENT_FALL) / 100)
    if not falls:
        return None
    return Alert(
        "\n".join(map(_described_fall, falls)),
        _(
            "Was a prompt published, or did the model change? See the agreement page by model, "
            "prompt version and category. Votes without tokens may be made up."
        ),
    )


def _described_fall(fall: rates.Fall) -> str:
    who = _("Users with tokens") if fall.is_signed else _("Without tokens")
    sentence = _("%(who)s: %(rate).1f%% in the last 7 days; %(usual).1f%% in the 4 weeks before.")
    return sentence % {"who": who, "rate": 100 * fall.rate, "usual": 100 * fall.usual}


def breaker_open(readings: Readings) -> Alert | None:
    """Some processes have paused calls, for a reason that may pass."""
    paused = [p for p in readings.processes if p.pause_code and not p.pause_cause]
    return _paused_calls(readings, paused, "")


def needs_operator(cause: str) -> Callable[[Readings], Alert | None]:
    """The rule that fires when calls are paused for something only an operator can fix."""

    def check(readings: Readings) -> Alert | None:
        paused = [p for p in readings.processes if p.pause_cause == cause]
        return _paused_calls(readings, paused, cause)

    return check


def model_retired(readings: Readings) -> Alert | None:
    """A model is retired or not available to this account, even if another one answers."""
    if found := needs_operator("model_retired")(readings):
        return found
    denied = sorted({p.denied_models for p in readings.processes if p.denied_models})
    if not denied:
        return None
    return Alert(
        _("Skipped: %(models)s. The next model answers for now, as the settings page lists them.")
        % {"models": ", ".join(denied)},
        str(trouble("", "model_retired").advice),
    )


def _paused_calls(readings: Readings, paused: Sequence[ServerProcess], cause: str) -> Alert | None:
    if not paused:
        return None
    found = trouble(paused[0].pause_code, cause)
    since = min(p.paused_since for p in paused if p.paused_since)
    return Alert(
        _(
            "Model calls paused in %(paused)s of %(processes)s processes since %(since)s: "
            "%(reason)s."
        )
        % {
            "paused": len(paused),
            "processes": len(readings.processes),
            "since": f"{timezone.localtime(since):%m-%d %H:%M}",
            "reason": found.title,
        },
        str(found.advice),
    )


def model_retiring(readings: Readings) -> Alert | None:
    """A configured model will be retired soon, or has been replaced."""
    notices = retirements.notices()
    if not notices:
        return None
    return Alert(
        "\n".join(notice.sentence for notice in notices),
        _(
            "Compare the successor's price (manage.py models), try it on the test page, and set "
            "LLM_MODEL to it or to another model; then restart."
        ),
        news_since=max(notice.since for notice in notices),
    )


def buffer_dropping(readings: Readings) -> Alert | None:
    """Log rows were lost recently, or are about to be."""
    now = timezone.now()
    losing = [
        p for p in readings.processes if p.dropped_at and abs(now - p.dropped_at) < RECENTLY_DROPPED
    ]
    filling = [p for p in readings.processes if p.rows_waiting >= MAX_WAITING / 2]
    if not losing and not filling:
        return None
    return Alert(
        _("%(waiting)s log rows are waiting for the database; %(dropped)s were lost.")
        % {
            "waiting": sum(p.rows_waiting for p in readings.processes),
            "dropped": sum(p.rows_dropped for p in losing),
        },
        _(
            "The database is too slow or was down: check its load, disk and log. Paid answers are "
            "safe; hits beyond the buffer's limit are not counted."
        ),
    )


def no_process(readings: Readings) -> Alert | None:
    """No server process has reported its state."""
    if readings.processes:
        return None
    return Alert(
        _("No server process has reported for 30 seconds."),
        _(
            "Is the service running? Check systemctl status and the log, and start it again. If "
            "it is running, compare the hosts' clocks."
        ),
    )


def _by_cause(cause: str) -> Rule:
    evaluate = model_retired if cause == "model_retired" else needs_operator(cause)
    return Rule(cause, trouble("", cause).title, evaluate)


RULES: Sequence[Rule] = (
    Rule("daily_cost", gettext_lazy("today's cost is above the threshold"), daily_cost),
    Rule("limit_reached", gettext_lazy("the daily limit has been reached"), limit_reached),
    app_limit("app_limit_near", 80, below=100),
    app_limit("app_limit_reached", 100),
    Rule("failure_rate", gettext_lazy("many requests are failing"), failure_rate),
    Rule("hit_rate", gettext_lazy("the hit rate has dropped"), hit_rate),
    Rule("agreement", gettext_lazy("people agree less with the model"), agreement),
    Rule("breaker_open", gettext_lazy("calls to the model are paused"), breaker_open),
    *(_by_cause(cause) for cause in CAUSE_TEXTS),
    Rule("model_retiring", gettext_lazy("a model reaches the end of its life"), model_retiring),
    Rule(
        "buffer_dropping", gettext_lazy("log rows are being lost, or soon will be"), buffer_dropping
    ),
    Rule("no_process", gettext_lazy("the service is not running"), no_process),
)
DATABASE = Rule("database", gettext_lazy("the database is not responding"), lambda _: None)
