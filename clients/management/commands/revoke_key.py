"""End a key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clients.models import AppKey


class Command(BaseCommand):
    help = (
        "End a key, and the users' tokens that were made with it: at once in this process, and "
        "within 30 seconds in all others."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", help="how the key begins, such as pc_1a2b3c4d; see list_apps")

    def handle(self, *args: Any, **options: Any) -> None:
        # Who pastes the whole key means it, too.
        prefix = "_".join(options["prefix"].split("_")[:2])
        key = AppKey.objects.filter(prefix=prefix).select_related("app").first()
        if key is None:
            raise CommandError("No key begins so; see list_apps.")
        key.revoke()
        self.stdout.write(f"{key.prefix} of {key.app.name} is revoked.")
