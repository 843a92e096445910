"""The inputs of alerting rules, and the alerts they return."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise

from classification.billing.app_limits import LimitUse, limit_uses
from classification.models import ServerProcess
from classification.monitoring import processes
from clients.models import App
from stats import demo
from stats.aggregations import REQUEST_SUMS
from stats.figures import current_figures
from stats.ranges import MinutesUnavailable, TimeRange


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that fires: what was seen, and what to do about it.

    Channels are reminded every hour; with `news_since`, only of news since they were notified.
    """

    detail: str
    advice: str
    news_since: datetime | None = None


class Readings:
    """The inputs of the rules, read once per evaluation."""

    @cached_property
    def processes(self) -> list[ServerProcess]:
        return list(processes.alive())

    def requests(self, start: datetime, end: datetime) -> dict[str, Any]:
        """The sums of requests from `start` to `end`, without demo data; zeros if the log of a day
        has been purged."""
        wanted = TimeRange(start.replace(tzinfo=None), end.replace(tzinfo=None))
        with current_figures() as figures:
            try:
                sums = figures.sums_of(wanted)
            except MinutesUnavailable:
                return dict.fromkeys(REQUEST_SUMS, 0)
        made_up = demo.counts_of(start, end) if self.has_demo_data else {}
        return sums | {name: sums[name] - count for name, count in made_up.items()}

    @cached_property
    def has_demo_data(self) -> bool:
        return demo.is_there()

    @cached_property
    def app_limits(self) -> list[LimitUse]:
        return [use for app in App.objects.filter(is_active=True) for use in limit_uses(app)]

    @property
    def this_minute(self) -> datetime:
        return timezone.localtime().replace(second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Rule:
    """`name` is for the log and the table, `title` for people."""

    name: str
    title: str | Promise
    evaluate: Callable[[Readings], Alert | None]
