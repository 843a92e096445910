"""Look whether anything is wrong, and tell whoever ALERT_EMAILS and ALERT_WEBHOOKS name."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier_project.databases import wait_at_most
from operations.alerts import checks, receivers

DATABASE_SECONDS = 10


class Command(BaseCommand):
    help = "Tell people what is wrong, and when it is over; for a timer, every minute, on any host."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--test", action="store_true", help="only send everybody a message that says so"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        told = receivers.configured()
        if not told:
            self.stderr.write("Nobody is told: set ALERT_EMAILS or ALERT_WEBHOOKS.")
        if options["test"]:
            self._report_undelivered(checks.try_out(told))
            return
        wait_at_most(DATABASE_SECONDS)
        result = checks.check(told)
        if result is None:
            self.stdout.write("Another check is under way.")
            return
        for condition, finding in result.findings:
            self.stdout.write(f"{condition.name}: {finding.detail} {finding.advice}")
        self._report_undelivered(result.undelivered)

    def _report_undelivered(self, undelivered: Any) -> None:
        if undelivered:
            raise CommandError(f"Could not be told: {', '.join(undelivered)}.")
