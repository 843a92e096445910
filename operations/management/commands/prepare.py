"""Prepare the database: migrate, and create the first app and staff account."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Run migrate, create_first_app and create_first_staff, in one process. Each does only what "
        "is missing."
    )
    # Some checks query tables that do not exist yet; `migrate` runs those that it needs.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        call_command(
            "migrate", interactive=False, verbosity=0, skip_checks=False, stdout=self.stdout
        )
        # Before the staff account, whose absence shows that the installation is new.
        call_command("create_first_app", stdout=self.stdout)
        call_command("create_first_staff", stdout=self.stdout)
