"""Evaluate the alerting rules, and notify ALERT_EMAILS and ALERT_WEBHOOKS."""

import contextlib
import os
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from classification.monitoring.task_runs import record_run
from core.database.connections import wait_at_most
from operations.alerts import channels, delivery, evaluation

DATABASE_SECONDS = 10


class Command(BaseCommand):
    help = (
        "Notify people when something goes wrong and when it is over. Run it from a timer, every "
        "minute, on any number of hosts."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--test", action="store_true", help="only send a test message to every channel"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        configured = channels.configured()
        if not configured:
            self.stderr.write("Nobody is notified: set ALERT_EMAILS or ALERT_WEBHOOKS.")
        if options["test"]:
            self._require_delivered(delivery.send_test(configured))
            return
        wait_at_most(DATABASE_SECONDS)
        result = evaluation.evaluate([*configured, channels.StatusPage()])
        if result is None:
            # A timer must not record it as a success.
            raise CommandError(
                "Another check is running; this one did nothing.", returncode=os.EX_TEMPFAIL
            )
        # An outage is an alert, not a failure of this command.
        with contextlib.suppress(DatabaseError):
            record_run("check_alerts")
        for rule, alert in result.alerts:
            self.stdout.write(f"{rule.name}: {alert.detail} {alert.advice}")
        self._require_delivered(result.undelivered)

    def _require_delivered(self, undelivered: Sequence[str]) -> None:
        if undelivered:
            raise CommandError(f"Not delivered to {', '.join(undelivered)}.")
