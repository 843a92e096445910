"""Delete cache entries, so that their photos are classified again."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet
from django.utils import timezone
from tqdm import tqdm

from classification.categories import KEYS
from classification.images import HASH
from classification.management import arguments
from classification.models import CacheEntry
from core import wall_clock
from core.database.batches import delete_in_batches

# Command line option -> filter.
FILTERS: dict[str, Callable[[Any], Q]] = {
    "hash": lambda value: Q(image_hash=value.lower()),
    "category": lambda value: Q(category=value),
    "model": lambda value: Q(model_used=value),
    # The older service stored no provider.
    "provider": lambda value: Q(provider="" if value == "older" else value),
    "prompt_version": lambda value: Q(prompt_version=value),
    "older_than": lambda value: Q(created_at__lt=timezone.now() - value),
    "made_before": lambda value: Q(created_at__lt=wall_clock.midnight(value)),
    "made_after": lambda value: Q(created_at__gte=wall_clock.midnight(value)),
    "below_confidence": lambda value: Q(confidence__lt=value),
}


class Command(BaseCommand):
    help = (
        "Remove cache entries. Filters combine with AND; --all means every entry. Corrections"
        " by people are kept unless --corrected is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="every entry")
        parser.add_argument("--category", choices=sorted(KEYS))
        parser.add_argument("--model", help="model_used of the entries")
        parser.add_argument("--prompt-version", type=int)
        parser.add_argument(
            "--provider", help="who answered; older: the service that this one has replaced"
        )
        parser.add_argument(
            "--made-before", type=date.fromisoformat, help="created before this day: 2026-01-31"
        )
        parser.add_argument(
            "--made-after", type=date.fromisoformat, help="created on this day or later"
        )
        parser.add_argument(
            "--older-than", type=arguments.days, help="created longer ago than this, such as 90d"
        )
        parser.add_argument("--below-confidence", type=arguments.fraction, help="such as 0.5")
        parser.add_argument("--hash", help="one photo's SHA-256")
        parser.add_argument("--corrected", action="store_true", help="include corrected entries")
        parser.add_argument("--dry-run", action="store_true", help="count only")
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    def handle(self, *args: Any, **options: Any) -> None:
        given = [name for name in FILTERS if options[name] is not None]
        if bool(given) == options["all"]:
            raise CommandError("Give either --all or at least one filter.")
        entries = _selected(options)
        count = entries.count()
        if options["dry_run"]:
            self.stdout.write(f"{count} entries would be removed.")
            return
        if count and not options["yes"] and not _confirmed(count):
            raise CommandError("Nothing was removed.")
        self.stdout.write(f"{_remove(entries, count)} entries removed.")


def _selected(options: dict[str, Any]) -> QuerySet[CacheEntry]:
    if options["hash"] is not None and not HASH.fullmatch(options["hash"]):
        raise CommandError("--hash must be 64 hexadecimal digits.")
    given = {name: options[name] for name in FILTERS if options[name] is not None}
    entries = CacheEntry.objects.all()
    for name, value in given.items():
        entries = entries.filter(FILTERS[name](value))
    return entries if options["corrected"] else entries.filter(corrected_at__isnull=True)


def _confirmed(count: int) -> bool:
    return input(f"Remove {count} entries? [y/N] ").strip().lower() in ("y", "yes")


def _remove(entries: QuerySet[CacheEntry], count: int) -> int:
    removed = 0
    with tqdm(total=count, unit="entry", file=sys.stderr, disable=None) as bar:
        for batch in delete_in_batches(entries):
            removed += batch
            bar.update(batch)
    return removed
