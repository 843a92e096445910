"""The last runs of scheduled commands, which each command records when it finishes."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from classification.models import TaskRun


@dataclass(frozen=True, slots=True)
class Task:
    """A scheduled command; it is late if its last run is longer ago than `late_after`."""

    name: str
    purpose: str | Promise
    late_after: timedelta


TASKS: Sequence[Task] = (
    Task("roll_up_stats", _("adds up the statistics, every minute"), timedelta(minutes=10)),
    Task("check_alerts", _("checks alerts and notifies, every minute"), timedelta(minutes=10)),
    Task("purge_request_log", _("deletes old log rows, daily"), timedelta(days=2)),
)


@dataclass(frozen=True, slots=True)
class LastRun:
    """`ended_at` is None for a task that has never run."""

    task: Task
    ended_at: datetime | None
    host: str
    is_late: bool


def record_run(name: str) -> None:
    """Record that a task has finished."""
    run = TaskRun(name=name, host=socket.gethostname()[:255], ended_at=timezone.now())
    run.save()


def last_runs() -> list[LastRun]:
    """The last run of each task, on any host."""
    found = {run.name: run for run in TaskRun.objects.all()}
    return [_last_run(task, found.get(task.name)) for task in TASKS]


def _last_run(task: Task, run: TaskRun | None) -> LastRun:
    if run is None:
        return LastRun(task, None, "", is_late=True)
    is_late = abs(timezone.now() - run.ended_at) > task.late_after
    return LastRun(task, run.ended_at, run.host, is_late)
