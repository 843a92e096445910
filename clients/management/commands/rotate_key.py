"""Create a new key for an app; the older ones remain valid for some time."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from clients.management import arguments
from clients.models import AppKey


class Command(BaseCommand):
    help = (
        "Create a new key for an app and print it; it is shown only once. The app's existing keys "
        "expire after --overlap, and so do the user tokens that were issued with them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("app")
        parser.add_argument(
            "--overlap",
            type=arguments.duration,
            default=timedelta(days=7),
            help="how long the existing keys remain valid; default: 7d",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        app = arguments.existing_app(options["app"])
        if app.is_anonymous:
            raise CommandError("The app 'anonymous' has no keys.")
        until = timezone.now() + options["overlap"]
        with transaction.atomic():
            key = AppKey.objects.rotate(app, until=until)[1]
        local = timezone.localtime(until)
        if options["json"]:
            described = {"app": app.name, "key": key, "older_keys_until": local.isoformat()}
            self.stdout.write(json.dumps(described))
            return
        self.stdout.write(f"Older keys of {app.name} expire at {local:%Y-%m-%d %H:%M}.")
        self.stdout.write(f"Key (shown only once): {key}")
