"""Bring the database up to date, and make what a new installation begins with."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Run migrate, create_first_app and create_first_staff, in one process. Each does only what "
        "is missing."
    )
    # Some look at tables that are not there yet; `migrate` runs those that it needs.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        call_command(
            "migrate", interactive=False, verbosity=0, skip_checks=False, stdout=self.stdout
        )
        # Before the staff account, by which a new installation is known.
        call_command("create_first_app", stdout=self.stdout)
        call_command("create_first_staff", stdout=self.stdout)
