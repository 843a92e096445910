"""The status page."""

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from classification.billing import daily_limit
from classification.monitoring import processes, retirements, task_runs
from classification.monitoring.service_status import Service
from classification.providers.model_table.table import vendor_day
from classification.staff import asked_models
from core.staff import StaffRequest, staff_only
from operations.alerts import channels
from operations.doctor.examinations import EXAMINATIONS
from operations.doctor.findings import STATUS, Finding, Options, examine
from operations.status import alerts, database

KEPT_SECONDS = 60.0


class Examined(NamedTuple):
    """The doctor's findings, worst first, and when they were made (seconds of the monotonic
    clock)."""

    findings: Sequence[Finding]
    at: float


_examining = threading.Lock()
_examined = Examined((), float("-inf"))


@staff_only
@require_http_methods(["GET", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    """The page; a POST runs the doctor, without paid calls."""
    context = {
        "service": Service(processes.all_states()),
        "spending": daily_limit.today(),
        "made_at": timezone.localtime(),
        "alerts": alerts.open_alerts(),
        "channels": [str(channel) for channel in channels.configured()],
        "tasks": task_runs.last_runs(),
        "databases": database.databases(),
        "models": _models(),
        "notices": retirements.notices(),
        "findings": _findings() if request.method == "POST" else None,
    }
    return render(request, "status/page.html", context)


def _models() -> list[dict[str, object]]:
    """The models in use, with the days left until they are retired."""
    today = vendor_day(timezone.now())
    return [
        {"asked": model, "retired": retired, "days": (retired - today).days if retired else None}
        for model in asked_models.asked_models()
        for retired in [model.facts.retired if model.facts else None]
    ]


def _findings() -> Sequence[Finding]:
    """The doctor's findings, cached for a minute, since examining takes seconds."""
    global _examined
    with _examining:
        if time.monotonic() - _examined.at > KEPT_SECONDS:
            found = sorted(
                examine(EXAMINATIONS, Options()), key=lambda finding: -STATUS[finding.level]
            )
            _examined = Examined(found, time.monotonic())
        return _examined.findings
