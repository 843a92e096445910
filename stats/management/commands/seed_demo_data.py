"""Generate demo data, or remove it."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from classification.models import CacheEntry
from stats import demo


class Command(BaseCommand):
    help = "Generate demo requests, entries and model calls up to now; --remove deletes them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=90, help="default: 90")
        parser.add_argument(
            "--requests",
            type=int,
            default=100_000,
            help="total number of requests; default: 100000",
        )
        parser.add_argument("--remove", action="store_true", help="remove all demo data")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            batches = demo.remove()
        elif options["days"] < 1 or options["requests"] < 1:
            raise CommandError("--days and --requests must be at least 1.")
        elif CacheEntry.objects.filter(provider=demo.PROVIDER).exists():
            raise CommandError("There is demo data already; --remove deletes it.")
        else:
            batches = demo.seed(demo.Size(options["days"], options["requests"]))
        count = 0
        with tqdm(unit="row", unit_scale=True, file=sys.stderr, disable=None) as bar:
            for rows in batches:
                bar.update(rows)
                count += rows
        done = "rows removed" if options["remove"] else "requests written"
        self.stdout.write(f"{count} {done}.")
