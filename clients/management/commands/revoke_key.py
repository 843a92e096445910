"""Revoke an app's key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clients.models import AppKey


class Command(BaseCommand):
    help = (
        "Revoke a key, and the user tokens that were issued with it. Every process rejects them "
        "within 30 seconds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "prefix", help="the beginning of the key, such as pc_1a2b3c4d; see list_apps"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Also accepts a whole key.
        prefix = "_".join(options["prefix"].split("_")[:2])
        key = AppKey.objects.filter(prefix=prefix).select_related("app").first()
        if key is None:
            raise CommandError("No key begins like this; see list_apps.")
        key.revoke()
        self.stdout.write(f"{key.prefix} of {key.app.name} is revoked.")
