"""Delete everything that identifies a user."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from privacy import erasure as erasures
from privacy.export import count
from privacy.management import arguments
from privacy.models import Erasure


class Command(BaseCommand):
    help = (
        "Delete everything that identifies a user, in small batches while the service runs. Sums "
        "of past days do not change. If it is interrupted, a running server finishes it, or the "
        "next run; running it twice is harmless. Prints a receipt, which does not name the user."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        arguments.add_person(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    def handle(self, *args: Any, **options: Any) -> None:
        person = arguments.person_of(options)
        for place, rows in count(person).items():
            self.stdout.write(f"{place}: {rows} rows")
        if not options["yes"] and not _is_confirmed():
            raise CommandError("Nothing was changed.")
        erasure = Erasure.objects.begin(person.user_id, person.app_id, "command", is_claimed=True)
        for _ in tqdm(erasures.steps(erasure), unit="batch", file=sys.stderr, disable=None):
            pass
        # Not the sum of these steps: running servers may have taken over some.
        erasure.refresh_from_db()
        gone = sum(erasure.rows.values())
        self.stdout.write(f"Receipt {erasure}: {gone} rows were deleted or anonymized.")
        for table, rows in sorted(erasure.rows.items()):
            self.stdout.write(f"  {table}: {rows}")


def _is_confirmed() -> bool:
    if not sys.stdin.isatty():
        raise CommandError("Pass --yes to confirm: there is no terminal to ask on.")
    return input("Forget this user? Type yes: ").strip().lower() == "yes"
